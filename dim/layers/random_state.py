"""What a layer with a random generator adds to a checkpoint."""

from keras import ops


class SavesRandomState:
    """Mixin for layers and models whose own state is `self.random`, a `keras.random.SeedGenerator`.

    Keras does not save the state of random generators; without it a resumed run draws anew.
    """

    def save_own_variables(self, store):
        store["random"] = ops.convert_to_numpy(self.random.state)

    def load_own_variables(self, store):
        self.random.state.assign(store["random"])
