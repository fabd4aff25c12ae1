"""The encoder that comes with the package, and encoders in files.

It was trained by Deep InfoMax on the images of Tiny-ImageNet, without labels; docs/pretrained.md is its card.
`pretrained.keras` beside this file holds its weights in float16, in plain Keras, and `pretrained.json` the
configuration of the run that it comes from.
"""

import hashlib
from pathlib import Path

from dim.configuration import Configuration
from dim.errors import DimError
from dim.files import read_json
from dim.memory import exhausted

FILE = Path(__file__).with_suffix(".keras")
SHA256 = "6dab47fea853c19512d469b5bfea95d2966743e00a7d7598ebf4979b34af1eff"


def pretrained():
    """An encoder [B, 64, 64, 3] uint8 to a code of 256 that is good from the start: a functional Keras model.

    Sets what `build_model` sets. Raises DimError if the file has changed since it was published.
    """
    found = hashlib.sha256(FILE.read_bytes()).hexdigest()
    if found != SHA256:
        raise DimError(f"{FILE} is damaged (SHA-256 {found[:12]}…, not {SHA256[:12]}…); install dim again")
    return encoder_in(FILE, configuration())


def configuration() -> Configuration:
    """Of the run that it comes from."""
    return Configuration(**read_json(FILE.with_suffix(".json"), dict))


def encoder_in(file: Path, configuration: Configuration):
    """The encoder that a run of this configuration left in a file, in whatever precision it lies there.

    Sets what `build_model` sets. Raises DimError if the file is damaged, or holds another encoder.
    """
    from dim.methods.build import build_encoder

    remedy = "put a good copy there"
    weights = loaded(file, remedy).get_weights()
    encoder = build_encoder(configuration)
    try:
        encoder.set_weights(weights)
    except ValueError as error:
        c = configuration
        wanted = f"{c.encoder} from {c.image_size} pixels to a code of {c.code_size}"
        raise DimError(f"{file} holds another encoder than {wanted}; {remedy}") from error
    return encoder


def loaded(file: Path, remedy: str):
    """The model in a .keras file; DimError with the remedy if it is damaged."""
    import keras

    names_of_torch = {
        "AdamW": keras.optimizers.AdamW
    }  # whose optimizer is of a module that others cannot import
    try:
        return keras.saving.load_model(file, names_of_torch)
    except Exception as error:  # a damaged zip, HDF5 file or JSON each raise in their own way
        if exhausted(error):
            raise
        reason = (str(error).strip() or type(error).__name__).splitlines()[0][:120]
        raise DimError(f"{file} is damaged ({reason}); {remedy}") from error
