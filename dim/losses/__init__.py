"""Objectives, priors and losses of metric learning: functions of tensors, without a network in them."""
