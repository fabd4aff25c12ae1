"""A run in its folder: how it is trained, watched, and gone on with."""
