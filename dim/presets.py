"""Named, complete configurations, each with its source and what to expect of it.

Results are accuracies of 20 nearest neighbours by cosine on 20 classes of Tiny-ImageNet (10,000 images),
where raw pixels have 18.5 % and a calibrated untrained encoder has 26 %, and times are those of two cores;
the README has the protocol and the table.

To add a preset, write a function that says where it comes from; its name is the preset's.
"""

from collections.abc import Callable
from dataclasses import replace
from functools import wraps

from dim.configuration import Configuration

PRESETS: dict[str, Callable[[], Configuration]] = {}


def _preset(function: Callable[[], Configuration]) -> Callable[[], Configuration]:
    name = function.__name__.replace("_", "-")
    PRESETS[name] = named = wraps(function)(lambda: replace(function(), preset=name))
    return named


@_preset
def dim() -> Configuration:
    """The default: two views, encode-and-dot critics against the rest of the batch, InfoNCE, KL prior.

    The critics and the objective are those that the paper's authors call the better ones
    (https://github.com/rdevon/DIM/issues/10); scores are divided by √U, and the code of one view meets
    the feature map of the other, as in AMDIM (https://arxiv.org/abs/1906.00910).

    Command: make train. Expect 39 % after 5 epochs in 3 minutes, 44 % after 12.
    """
    return Configuration()


@_preset
def seed() -> Configuration:
    """The model of Su Jianlin (2018): concatenation, one negative, Jensen-Shannon, KL prior.

    Source: https://kexue.fm/archives/6024. Weights 0.5, 1.5 and 0.01, Adam 1e-3, batch 100. The global
    term compares the sampled code with itself. Two things are mended: scores stay logits (the original
    takes log(sigmoid + 1e-6), which has no gradient at 20), and mismatched pairs come from a roll of the
    shuffled batch (a random permutation leaves about one true pair among them).

    Command: make train PRESET=seed. Expect 26 % after 5 epochs in a minute and a half.
    """
    critic = {"critic": "concatenate-and-convolve", "critic_units": 256, "critic_layers": 3, "negatives": 1}
    weights = {"alpha": 0.5, "beta": 1.5, "gamma": 0.01, "weight_decay": 0.0}
    return Configuration(views=1, objective="jsd", summary="code", **critic, **weights)


@_preset
def paper_local_jsd() -> Configuration:
    """DIM(L) of the paper with its default objective, Jensen-Shannon.

    Source: Hjelm et al. 2019, section 4, and the authors' code: local term only, encode-and-dot critic of
    2048 units, codes of 64 matched to the uniform distribution by a discriminator with γ = 0.1, Adam
    1e-4, batch 64, no views. Not as there: scores are divided by √U, Adam's first moment decays with 0.9
    rather than 0.5, and the encoder is this repository's own, so that presets can be compared; the
    paper's are `--encoder basic32 --image-size 32` and `--encoder alex64`.

    Command: make train PRESET=paper-local-jsd. Expect 33 % after 5 epochs in two and a half minutes; the
    paper trains for 1000.
    """
    terms = {"objective": "jsd", "prior": "uniform", "alpha": 0.0, "beta": 1.0, "gamma": 0.1}
    steps = {"learning_rate": 1e-4, "weight_decay": 0.0, "batch_size": 64}
    return Configuration(views=1, code_size=64, critic_units=2048, **terms, **steps)


@_preset
def paper_local_dv() -> Configuration:
    """DIM(L) of the paper with Donsker-Varadhan; otherwise as `paper-local-jsd`.

    The authors' released loss is broken (a mean over codes is missing), so no published code stands
    behind the paper's numbers for it.

    Command: make train PRESET=paper-local-dv. Expect 37 % after 5 epochs in two and a half minutes.
    """
    return replace(paper_local_jsd(), objective="dv")


@_preset
def paper_local_nce() -> Configuration:
    """DIM(L) of the paper with InfoNCE, its best; otherwise as `paper-local-jsd`.

    Command: make train PRESET=paper-local-nce. Expect 40 % after 5 epochs in two and a half minutes.
    Published for all of Tiny-ImageNet with `--encoder alex64`: 38.09 % by an MLP on the last hidden layer
    (Table 2).
    """
    return replace(paper_local_jsd(), objective="infonce")


@_preset
def paper_global() -> Configuration:
    """DIM(G) of the paper: global term and prior alone, α = 1, β = 0, γ = 1; else as `paper-local-jsd`.

    Command: make train PRESET=paper-global. Expect 24 % after 5 epochs, no more than an untrained encoder.
    """
    return replace(paper_local_jsd(), alpha=1.0, beta=0.0, gamma=1.0)


@_preset
def two_view() -> Configuration:
    """What serves neighbours best here: two views of smaller crops, the local term alone, no prior, decay.

    Source: the step from Deep InfoMax to AMDIM (https://arxiv.org/abs/1906.00910), at one map scale.

    Command: make train PRESET=two-view EPOCHS=60. Expect 53 % in 25 minutes.
    """
    return Configuration(alpha=0.0, prior="none", gamma=0.0, crop=0.2, learning_rate=2e-3, schedule="cosine")


@_preset
def rival_simclr() -> Configuration:
    """SimCLR (https://arxiv.org/abs/2002.05709) as the global term between the codes of two views.

    Cosine of projected codes at temperature 0.2, InfoNCE against the rest of the batch. Not as there:
    the two views have a projection each, and negatives come from the other view only.

    Command: make train PRESET=rival-simclr. Expect 34 % after 5 epochs.
    """
    return Configuration(summary="code", temperature=0.2, prior="none", alpha=1.0, beta=0.0, gamma=0.0)


@_preset
def rival_vae() -> Configuration:
    """A variational autoencoder of the same encoder (https://arxiv.org/abs/1312.6114), one view.

    Command: make train PRESET=rival-vae. Expect 28 % after 5 epochs.
    """
    return Configuration(method="vae", views=1)


@_preset
def rival_vicreg() -> Configuration:
    """VICReg (https://arxiv.org/abs/2105.04906) on the same encoder, with its weights 25, 25 and 1.

    Command: make train PRESET=rival-vicreg. Expect 30 % after 5 epochs.
    """
    return Configuration(method="vicreg", prior="none")


@_preset
def supervised() -> Configuration:
    """The same encoder trained with the labels, one random view of each image: what labels are worth.

    Command: make train PRESET=supervised. Expect 44 % after 5 epochs in a minute and a half.
    """
    return Configuration(method="supervised", prior="none")


@_preset
def metric_contrastive() -> Configuration:
    """Contrastive loss on pairs (Hadsell et al. 2006), from labels, of distances between codes at length 1.

    As all three of metric learning: batches of 20 classes with 5 images each, two views of each image.

    Command: make train PRESET=metric-contrastive. Expect 40 % after 5 epochs in two and a half minutes.
    """
    return Configuration(method="metric", loss="contrastive", margin=1.0, prior="none")


@_preset
def metric_triplet() -> Configuration:
    """Triplet loss on semi-hard triplets with FaceNet's margin 0.2 (https://arxiv.org/abs/1503.03832).

    The hardest triplets of each batch, `--loss triplet-hard`, collapse here within an epoch.

    Command: make train PRESET=metric-triplet. Expect 39 % after 5 epochs in two and a half minutes.
    """
    return Configuration(method="metric", loss="triplet-semi-hard", margin=0.2, prior="none")


@_preset
def metric_supcon() -> Configuration:
    """Supervised contrastive learning (https://arxiv.org/abs/2004.11362), from labels, on the code itself.

    Not as there: no projection, since the code is what is compared, and a temperature of 0.03, as codes
    start with cosines of 0.97.

    Command: make train PRESET=metric-supcon. Expect 41 % after 5 epochs in two and a half minutes.
    """
    return Configuration(method="metric", loss="supcon", temperature=0.03, prior="none")
