"""What layers and models add to a checkpoint, as mixins before Keras' class."""

import inspect

import keras
from keras import ops


class SavesArguments:
    """Its configuration is all that its constructor takes, kept in attributes of the same names."""

    def get_config(self):
        _, *names, _ = inspect.signature(type(self).__init__).parameters  # but self and kwargs
        return {**super().get_config(), **{name: getattr(self, name) for name in names}}


class Random(SavesArguments):
    """It draws random numbers by `self.random`, and goes on with the same ones after it was saved.

    Keras does not save the state of random generators; without it a resumed run draws anew.
    """

    def __init__(self, seed: int = 0, **kwargs):
        super().__init__(**kwargs)
        self.seed, self.random = seed, keras.random.SeedGenerator(seed)

    def save_own_variables(self, store):
        store["random"] = ops.convert_to_numpy(self.random.state)

    def load_own_variables(self, store):
        self.random.state.assign(store["random"])
