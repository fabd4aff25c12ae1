"""What can be done with `dim`: one thin program a verb."""
