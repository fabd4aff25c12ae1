"""Encoders: image to feature map to posterior.

An encoder is a functional Keras model from images [B, H0, W0, 3] uint8 to a dictionary of

    feature_map  [B, H, W, C]   where the network is split: what the local critic sees
    mean         [B, D]         of the posterior; this is the code that is kept after training
    log_variance [B, D]         of the posterior; not there if the code is deterministic

Its first layer scales pixels to [-1, 1]. Where the map is split off is part of its definition. Batch
normalisation and initial weights are as Keras has them. The vector that the posterior is read from is
the output of the layer `features`, in the two encoders of the paper their "fc"; there the flattened last
map is that of the layer `conv`.

    name           source                            H0   D    feature map  parameters
    seed           Su Jianlin 2018                   64   256  4×4×256       1,704,128
    basic32        Hjelm et al. 2019, basic32x32     32    64  8×8×128       4,989,824
    alex64         Hjelm et al. 2019, alex64x64      64    64  15×15×384    58,697,248
    resnet18       He et al. 2016, small-image stem  64   256  8×8×256      11,441,088
    resnet18-thin  the same, three eighths wide      64   256  8×8×96         1,675,688
    mobilenetv2    Sandler et al. 2018               64   256  8×8×192       2,913,856

H0 and D are the defaults; parameters include the log-variance's and the statistics of batch normalisation.
Once made, `seed` and both of ResNet-18 take images of other sizes too; their maps grow and shrink with them.

Of texts there is `text_encoder`, from tokens [B, T] int32 to the same dictionary, its map one token wide.

To add an encoder, write its function in a file here, put it into `ENCODERS` in this file, and its name into
`dim.choices`. Any functional model will do as one through `backbone_encoder`.
"""

from collections.abc import Callable

import keras

from dim import choices
from dim.encoders.alex64 import alex64_encoder
from dim.encoders.backbone import backbone_encoder
from dim.encoders.basic32 import basic32_encoder
from dim.encoders.ends import FEATURE_MAP, FEATURES, LOG_VARIANCE, MEAN
from dim.encoders.mobilenetv2 import mobilenetv2_encoder
from dim.encoders.rebuilt import in_float16, in_float32, in_plain_keras
from dim.encoders.resnet18 import resnet18_encoder, resnet18_thin_encoder
from dim.encoders.seed import seed_encoder
from dim.encoders.text import text_encoder, weigh_by_rarity

_FUNCTIONS = (
    seed_encoder,
    basic32_encoder,
    alex64_encoder,
    resnet18_encoder,
    resnet18_thin_encoder,
    mobilenetv2_encoder,
)
ENCODERS: dict[str, Callable[..., keras.Model]] = dict(zip(choices.ENCODERS, _FUNCTIONS, strict=True))
"""Functions of image_size, code_size (D) and gaussian (False: no log-variance), each with defaults.

Where images are too small they raise DimError."""

__all__ = [
    "ENCODERS",
    "FEATURES",
    "FEATURE_MAP",
    "LOG_VARIANCE",
    "MEAN",
    "alex64_encoder",
    "backbone_encoder",
    "basic32_encoder",
    "in_float16",
    "in_float32",
    "in_plain_keras",
    "mobilenetv2_encoder",
    "resnet18_encoder",
    "resnet18_thin_encoder",
    "seed_encoder",
    "text_encoder",
    "weigh_by_rarity",
]
