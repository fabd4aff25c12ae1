"""Presets trained at an equal budget, and what came of them."""
