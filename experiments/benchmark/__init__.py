"""What `experiments.benchmark` measures: a file for each kind of row, and one for each side."""
