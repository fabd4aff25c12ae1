"""How `experiments.evaluate` shows what it measured."""
