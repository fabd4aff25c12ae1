"""Rivals of Deep InfoMax: other ways to train the same encoders on the same images.

Each is a Keras model that is built, compiled with an optimizer alone, fitted and saved like
`dim.model.DeepInfoMax`, and leaves the same thing behind: `encoder`.
"""

from dim.rivals.decoder import mirrored_decoder
from dim.rivals.metric_learning import MetricLearning
from dim.rivals.supervised import Supervised
from dim.rivals.vae import VariationalAutoencoder
from dim.rivals.vicreg import VICReg, expander

__all__ = ["MetricLearning", "Supervised", "VICReg", "VariationalAutoencoder", "expander", "mirrored_decoder"]
