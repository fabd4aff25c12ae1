"""What codes are worth, beside what they have to beat."""

UNTRAINED, PIXELS = "untrained encoder", "raw pixels"
"""Names of baselines, the same in every table and file."""
