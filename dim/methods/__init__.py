"""Ways to train the same encoders on the same images: Deep InfoMax, and others to compare it with.

Each is a Keras model that is built, compiled with an optimizer alone, fitted and saved alike, and leaves
the same thing behind: `encoder`.
"""

from dim.methods.deep_infomax import DeepInfoMax
from dim.methods.metric_learning import MetricLearning
from dim.methods.siamese import Siamese
from dim.methods.supervised import Supervised
from dim.methods.vae import VariationalAutoencoder
from dim.methods.vicreg import VICReg, expander

__all__ = [
    "DeepInfoMax",
    "MetricLearning",
    "Siamese",
    "Supervised",
    "VICReg",
    "VariationalAutoencoder",
    "expander",
]
