"""Deep InfoMax (Hjelm et al., ICLR 2019) in one file of plain Keras 3, from images to neighbours.

    python examples/minimal.py        writes neighbours.png after about two minutes on two cores

An encoder turns an image into a feature map and, from it, one code. Critics score whether a code and a piece
of feature map come from the same image; training raises a lower bound on their mutual information (InfoNCE),
while a KL term draws the codes towards N(0, I). No labels are used. Letters: B images in a batch, L = H·W
locations of the feature map, C its channels, D the length of a code, U the units of a critic.
"""

from importlib.resources import files

import keras
import numpy as np
from imageio.v3 import imread, imwrite
from keras import layers, ops

SIZE, D, U = 64, 128, 256
ALPHA, BETA, GAMMA = 0.5, 1.0, 0.01  # weights of the global, the local and the prior term
PHOTOGRAPHS = [
    *(f"skimage/data/{name}.png" for name in ("astronaut", "brick", "chelsea", "coffee", "grass", "gravel")),
    *(f"skimage/data/{name}.png" for name in ("ihc", "motorcycle_left", "page")),
    *(f"skimage/data/{name}.jpg" for name in ("hubble_deep_field", "retina", "rocket")),
    *(f"sklearn/datasets/images/{name}.jpg" for name in ("flower", "china")),
]


def crops(count, start, stop, seed):
    """Random squares from between two shares of each photograph's width: [N, 64, 64, 3] uint8, and labels."""
    rng, images, labels = np.random.default_rng(seed), [], []
    for label, name in enumerate(PHOTOGRAPHS):
        package, _, path = name.partition("/")
        photograph = imread(files(package) / path)
        photograph = np.stack([photograph] * 3, -1) if photograph.ndim == 2 else photograph[..., :3]
        height, width, _ = photograph.shape
        for _ in range(count):
            step = int(rng.integers(1, 1 + min(2, height // SIZE, int((stop - start) * width) // SIZE)))
            side = step * SIZE  # 64 or 128 pixels, of which every one or every second is taken
            y = rng.integers(0, height - side + 1)
            x = rng.integers(int(start * width), int(stop * width) - side + 1)
            images.append(photograph[y : y + side : step, x : x + side : step])
            labels.append(label)
    return np.stack(images), np.array(labels)


def build_encoder():
    """Images [B, 64, 64, 3] to a feature map [B, 4, 4, 256] and a posterior: mean and log-variance [B, D]."""
    images = keras.Input((SIZE, SIZE, 3))
    x = layers.Rescaling(1 / 127.5, offset=-1)(images)
    for channels in (32, 64, 128, 256):
        x = layers.BatchNormalization()(layers.Conv2D(channels, 3, padding="same")(x))
        x = layers.LeakyReLU(0.2)(layers.MaxPooling2D(2)(x))
    feature_map = x  # here the encoder is split: local features before, the code behind
    x = layers.BatchNormalization()(layers.Conv2D(256, 3, padding="same")(x))
    x = layers.GlobalMaxPooling2D()(layers.LeakyReLU(0.2)(x))
    log_variance = layers.Dense(D, kernel_initializer="zeros")(x)  # every variance starts at 1
    return keras.Model(images, {"map": feature_map, "mean": layers.Dense(D)(x), "log_variance": log_variance})


def projection(*shape):
    """One side of a critic: codes [B, D] or features [B, L, C] to vectors [..., U] for a scalar product."""
    side = keras.Sequential([layers.Dense(U), layers.ReLU(), layers.Dense(U), layers.LayerNormalization()])
    side.build((None, *shape))
    return side


def info_nce(scores):
    """InfoNCE from scores [B, B, L] of code i with location l of image j (eq. 5), in nats.

    The true pair, j = i, is to be found among itself and all L locations of the B - 1 other images.
    """
    same = ops.eye(ops.shape(scores)[0])[:, :, None]
    true = ops.sum(scores * same, axis=1)  # [B, L]
    others = ops.logsumexp(scores - 1e9 * same, axis=(1, 2))[:, None]  # [B, 1]
    return ops.mean(ops.logaddexp(true, others) - true)


def kl(mean, log_variance):
    """KL(N(mean, variance) ‖ N(0, 1)), nats for each dimension of a code."""
    return ops.mean(0.5 * (ops.square(mean) + ops.exp(log_variance) - 1 - log_variance))


class DeepInfoMax(keras.Model):
    """loss = α · global + β · local + γ · prior (eq. 8), the code of one view with the map of another."""

    def __init__(self):
        super().__init__()
        self.encoder = build_encoder()
        _, H, W, C = self.encoder.output["map"].shape
        self.local_sides = projection(D), projection(H * W, C)
        self.global_sides = projection(D), projection(1, H * W * C)
        self.random_view = keras.Sequential(
            [
                layers.RandomFlip("horizontal"),
                layers.RandomZoom((-0.4, 0.0)),
                layers.RandomBrightness(0.2),
                layers.RandomContrast(0.3),
            ]
        )
        self.noise = keras.random.SeedGenerator(0)
        self.built = True  # as all of its parts are

    def call(self, images, training=False):
        return self.encoder(images, training=training)

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        one, other = (self.encoder(self.random_view(x, training=True), training=True) for _ in range(2))
        return (self.loss_between(one, other) + self.loss_between(other, one)) / 2

    def loss_between(self, one, other):
        mean, log_variance = one["mean"], one["log_variance"]
        code = mean + ops.exp(log_variance / 2) * keras.random.normal(ops.shape(mean), seed=self.noise)
        _, H, W, C = other["map"].shape
        local = ops.reshape(other["map"], (-1, H * W, C))
        whole = ops.reshape(other["map"], (-1, 1, H * W * C))  # global is local with L = 1
        return (
            ALPHA * info_nce(scores(code, whole, *self.global_sides))
            + BETA * info_nce(scores(code, local, *self.local_sides))
            + GAMMA * kl(mean, log_variance)
        )


def scores(code, features, code_side, feature_side):
    """A critic: codes [B, D] and features [B, L, C] to scores of all pairs, [B, B, L]."""
    return ops.einsum("iu,jlu->ijl", code_side(code), feature_side(features)) / U**0.5


def nearest(queries, bank, k):
    """Rows of the k nearest codes by cosine distance."""
    unit = [x / np.linalg.norm(x, axis=1, keepdims=True) for x in (queries, bank)]
    return np.argsort(-unit[0] @ unit[1].T, axis=1)[:, :k]


def main(per_photograph=120, epochs=6):
    keras.utils.set_random_seed(0)
    images, labels = crops(per_photograph, 0.0, 0.7, seed=0)
    queries, query_labels = crops(20, 0.7, 1.0, seed=1)  # of the other side of the same photographs
    model = DeepInfoMax()
    model.compile(keras.optimizers.Adam(1e-3))
    model.fit(images.astype("float32"), batch_size=64, epochs=epochs, verbose=2)
    codes = [model.encoder.predict(x.astype("float32"), verbose=0)["mean"] for x in (queries, images)]
    found = nearest(*codes, k=10)
    share = (labels[found] == query_labels[:, None]).mean()
    print(f"{share:.0%} of 10 neighbours are of the same photograph; chance is {1 / len(PHOTOGRAPHS):.0%}")
    rows = [np.concatenate([queries[i], *images[found[i]]], axis=1) for i in range(0, len(queries), 20)]
    imwrite("neighbours.png", np.concatenate(rows))


if __name__ == "__main__":
    main()
