"""Where another run's encoder stands at the end, one can start."""

import keras

from dim.encoders import LOG_VARIANCE
from dim.errors import DimError
from dim.training.run import Run


def start_from(run: Run, encoder: keras.Model) -> None:
    """Gives an encoder the weights of a run's, but those of the log-variance, which start as ever.

    Raises DimError if the run has no encoder, or another kind.
    """
    ours, theirs = (_layers(each) for each in (encoder, run.load_encoder()))
    if [_shapes(layer) for layer in ours] != [_shapes(layer) for layer in theirs]:
        c = run.configuration()
        needs = f"--encoder {c.encoder} --image-size {c.image_size} --code-size {c.code_size}"
        raise DimError(f"--init {run.name} is another encoder than is to be trained; add {needs}")
    for one, other in zip(ours, theirs, strict=True):
        one.set_weights(other.get_weights())


def _layers(encoder: keras.Model) -> list[keras.layers.Layer]:
    return [layer for layer in encoder.layers if layer.weights and layer.name != LOG_VARIANCE]


def _shapes(layer: keras.layers.Layer) -> list[tuple[int, ...]]:
    return [tuple(weight.shape) for weight in layer.weights]
