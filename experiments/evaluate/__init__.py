"""What `experiments.evaluate` measures, and how it shows it."""
