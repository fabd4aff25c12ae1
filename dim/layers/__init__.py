"""Keras layers: critics, views, occlusion, coordinates, the adversarial prior, normalisation."""
