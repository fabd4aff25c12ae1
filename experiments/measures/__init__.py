"""What the sources around Deep InfoMax claim about its ingredients, computed again: one file a claim."""
