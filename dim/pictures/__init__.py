"""What is drawn: neighbours, pairs, figures, TensorBoard's projector."""
