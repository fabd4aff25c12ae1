"""Everything that decides the outcome of a run, in one frozen dataclass."""

import math
from dataclasses import dataclass
from typing import Literal, get_type_hints

from dim import choices
from dim.errors import DimError
from dim.form import check
from dim.names import could_be_a_file

MOST_SEED = 2**31 - 1
"""What NumPy, Keras and scikit-learn all take, with room for those that count on from it."""
_LEAST = {"image_size": 8, "batch_size": 2, "per_class": 2, "seed": 0, "negatives": 0, "view_size": 0}
"""Of integers; of others 1."""


@dataclass(frozen=True, kw_only=True)
class Configuration:
    """The settings of a run. The command line is made from these fields; presets fill them in."""

    preset: str = "dim"
    """Named configuration that all other options of the command line start from."""
    data: str = ""
    """photo-patches, a folder of images, or Tiny-ImageNet as folder or zip. If empty: Tiny-ImageNet where
    `make data` puts it, otherwise photo-patches."""
    tune: bool = False
    """For making choices: hold out a tenth of the training images, by a hash of their names, and take them
    wherever validation images would be, which are never looked at. Whatever reads the run does the same."""
    image_size: int = 64
    """Side of the square images in pixels; larger and smaller ones are scaled."""
    epochs: int = 12
    """Passes over the training images. The only setting of an existing run that may be changed."""
    batch_size: int = 100
    """Images a step. Mismatched pairs are made within the batch."""
    learning_rate: float = 1e-3
    """Learning rate of AdamW, the optimizer; of a cosine schedule, the greatest."""
    schedule: Literal["constant", "cosine"] = "constant"
    """Course of the learning rate. cosine: a linear rise over the first twentieth of the steps, then half a
    cosine down to zero at the end of the last epoch, which is therefore fixed."""
    weight_decay: float = 0.01
    """Weight decay of AdamW, decoupled from the gradient; 0 gives plain Adam."""
    precision: Literal["auto", "float32", "mixed_bfloat16"] = "auto"
    """What the layers compute in; auto is bfloat16 where the hardware has it. Scores, objectives and
    posteriors are float32 always."""
    seed: int = 0
    """Seed of initial weights, order of the images, sampling and views."""
    method: Literal[choices.METHODS] = "dim"
    """What trains the encoder: dim is Deep InfoMax; vae, vicreg, supervised and metric (learning) are there
    to compare it with. Of the settings after --encoder these use only --code-size, --views, --crop and, of
    --prior, whether it is kl; metric learning also --temperature, for the losses supcon and n-pair."""
    loss: Literal[choices.LOSSES] = "supcon"
    """What metric learning lowers: contrastive, of distances or cosine; triplets; supervised contrastive."""
    margin: float = 0.2
    """By how much metric learning wants images of different classes to be farther than those of the same."""
    per_class: int = 5
    """Images of each class in a batch of metric learning, K; the batch has as many classes as fit."""
    encoder: Literal[choices.ENCODERS] = "seed"
    """Network from image to feature map and code."""
    init: str = ""
    """Name of a run whose encoder this one starts from, or pretrained: the one that comes with dim; without
    it from random weights."""
    code_size: int = 256
    """Length of the code, D."""
    views: Literal[1, 2] = 2
    """Views of each image. 1: code and feature map come from the image as it is. 2: they come from two random
    views of it."""
    crop: float = 0.3
    """Least share of the image's area that a random view keeps."""
    view_size: int = 0
    """Side of random views in pixels, for encoders that take images of any size; 0 is that of the images.
    Small ones are faster, and teach less."""
    occlusion: float = 0.0
    """Side of a square that is hidden from the code, as a share of the image's; 0 hides nothing."""
    critic: Literal[choices.CRITICS] = "encode-and-dot"
    """How a code is scored against a piece of a feature map."""
    critic_units: int = 512
    """Width of the critics, U."""
    critic_layers: int = 2
    """Hidden layers of a concatenate-and-convolve critic."""
    negatives: int = 0
    """Mismatched pairs for each true one, K; 0 takes all other images of the batch."""
    temperature: float = 0.0
    """Temperature by which an encode-and-dot critic divides the cosine of code and feature; 0 divides their
    scalar product by √U instead. Of metric learning, that of supcon and n-pair, which need one above 0."""
    clip: float = 0.0
    """Limit of the critics' scores, which are softly kept within ± it, as AMDIM does with 20; 0 leaves them
    alone."""
    objective: Literal[choices.OBJECTIVES] = "infonce"
    """Lower bound on mutual information that is raised."""
    summary: Literal[choices.SUMMARIES] = "map"
    """What the global critic compares a code with: the whole feature map, or the code (of the other view)."""
    prior: Literal[choices.PRIORS] = "kl"
    """Distribution of the codes. kl: a posterior for each image, drawn towards N(0, I). uniform, normal,
    sphere: codes are matched to it by a discriminator. sigreg: codes are tested for N(0, I) along random
    directions. none: codes are free."""
    alpha: float = 0.5
    """Weight α of the global term, of codes with whole feature maps; 0 leaves it out."""
    beta: float = 1.0
    """Weight β of the local term, of codes with single locations of feature maps; 0 leaves it out."""
    gamma: float = 0.01
    """Weight γ of the prior: of the KL in nats for each dimension of the code, of the encoder's side against
    the discriminator, or of the test's statistic."""
    delta: float = 0.0
    """Weight δ of telling from code and local features where on the map they are; 0 leaves it out."""

    def __post_init__(self):
        kinds = get_type_hints(type(self))
        try:
            for name, kind in kinds.items():
                check(getattr(self, name), kind, _option(name))
        except ValueError as error:
            raise DimError(str(error)) from error
        if not could_be_a_file(self.data):
            raise DimError(f"--data {self.data!r} cannot be the name of a file")
        for name, kind in kinds.items():
            value, least = getattr(self, name), _LEAST.get(name, 1)
            if kind is int and value < least:
                raise DimError(f"{_option(name)} must be at least {least}, not {value}")
            if kind is float and not 0 <= value < float("inf"):
                raise DimError(f"{_option(name)} must be finite and not negative, not {value}")
        if self.seed > MOST_SEED:
            raise DimError(f"--seed must be at most {MOST_SEED:,}, not {self.seed}")
        if self.alpha == self.beta == 0:
            raise DimError("--alpha and --beta are both 0, so there is nothing to learn")
        if self.negatives >= self.batch_size:
            where = "come from the other images of a batch"
            remedy = f"take fewer than --batch-size {self.batch_size}"
            raise DimError(f"--negatives {self.negatives} {where}; {remedy}")
        if not 0 < self.crop <= 1:
            raise DimError(f"--crop must be above 0 and at most 1, not {self.crop}")
        if self.view_size and self.alpha and self.summary == "map" and self.method == "dim":
            why = "a global term by whole maps wants views of the images' size"
            raise DimError(f"--view-size {self.view_size}: {why}; add --alpha 0 or --summary code")
        if self.occlusion >= 1:
            raise DimError(f"--occlusion must be less than 1, not {self.occlusion}")
        if self.method == "vae" and self.prior != "kl":
            raise DimError(f"--method vae needs --prior kl, not {self.prior}")
        if self.method == "metric" and self.batch_size < 2 * self.per_class:
            lack = f"has no room for two classes of --per-class {self.per_class}"
            raise DimError(f"--batch-size {self.batch_size} {lack}")
        if self.method == "metric" and self.loss in choices.BY_TEMPERATURE and not self.temperature:
            raise DimError(f"--loss {self.loss} needs a --temperature above 0, such as 0.1")

    @property
    def needs_labels(self) -> bool:
        """Whether the method learns from labels."""
        return self.method in ("supervised", "metric")

    def images_per_step(self, classes: int) -> int:
        """What a batch holds: the batch size, or for metric learning the whole classes that fit into it."""
        return math.prod(self.classes_and_images(classes)) if self.method == "metric" else self.batch_size

    def classes_and_images(self, classes: int) -> tuple[int, int]:
        """P and K of a batch of metric learning; of fewer classes than P there are more images each."""
        P = min(self.batch_size // self.per_class, classes)
        return P, self.batch_size // P if classes == P else self.per_class


def _option(name: str) -> str:
    return "--" + name.replace("_", "-")
