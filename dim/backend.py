"""Keras and its backend, started quietly and in the one setting that everything here expects."""

import os
import tempfile

from dim.errors import DimError
from dim.names import did_you_mean

BACKENDS = ("tensorflow", "jax", "torch")

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # or TensorFlow's start-up drowns the first line


def import_keras() -> None:
    """Imports Keras and its backend without the messages that TensorFlow's libraries print meanwhile.

    They come from compiled code before any log level is read. If the import fails they are shown, unless it
    was interrupted. What a keras.json says of the order of dimensions and of precision does not matter here.
    Raises DimError if the backend does not exist or is not installed, or a keras.json cannot be used.
    """
    backend = os.environ.get("KERAS_BACKEND", "")
    if backend and backend not in BACKENDS:
        hint = did_you_mean(backend, BACKENDS)
        raise DimError(f"KERAS_BACKEND={backend} cannot train; {hint}there are: {', '.join(BACKENDS)}")
    with tempfile.TemporaryFile() as messages:
        stderr = os.dup(2)
        try:
            os.dup2(messages.fileno(), 2)
            import keras
        except ModuleNotFoundError as error:
            if error.name not in BACKENDS:
                raise
            remedy = "install it, or set KERAS_BACKEND to another"
            raise DimError(f"Keras' backend {error.name} is not installed; {remedy}") from error
        except ValueError as error:
            settings = os.environ.get("KERAS_HOME") or "~/.keras"
            raise DimError(f"Keras cannot start ({error}); repair or remove {settings}/keras.json") from error
        except BaseException as error:
            if not _interrupted(error):
                messages.seek(0)
                os.write(stderr, messages.read())
            raise
        finally:
            os.dup2(stderr, 2)
            os.close(stderr)
    keras.config.set_image_data_format("channels_last")
    keras.config.set_floatx("float32")


def _interrupted(error: BaseException | None) -> bool:
    """Whether it is an interruption, or what a library made of one."""
    return error is not None and (isinstance(error, KeyboardInterrupt) or _interrupted(error.__context__))
