"""Errors in the encoders and in the methods that train them."""

from edits import edits_of

EDITS = [
    *edits_of(
        "dim/encoders/ends.py",
        "tests/encoders/test_init.py",
        ("pixels in [0, 1]", "1 / 127.5, offset=-1", "1 / 255, offset=0"),
        ("a mean in low precision", 'name=MEAN, dtype="float32"', "name=MEAN"),
        ("a log-variance that starts like any other", 'kernel_initializer="zeros", ', ""),
    ),
    *edits_of(
        "dim/encoders/seed.py",
        "tests/encoders/test_seed.py",
        ("one block fewer", "math.log2(image_size / 4)", "math.log2(image_size / 8)"),
        ("a mean in place of the maximum", "layers.GlobalMaxPooling2D()", "layers.GlobalAveragePooling2D()"),
        ("another slope", "LeakyReLU(0.2)", "LeakyReLU(0.3)"),
        (
            "split one convolution later",
            "feature_map = split_here(x)\n    x = feature_map\n",
            "feature_map = x = split_here(_convolution(x, 256))\n",
        ),
    ),
    *edits_of(
        "dim/encoders/basic32.py",
        "tests/encoders/test_basic32.py",
        (
            "split one convolution earlier",
            "x = _convolution(_convolution(x, 64), 128)\n    feature_map = split_here(x)\n",
            "feature_map = split_here(_convolution(x, 64))\n    x = _convolution(feature_map, 128)\n",
        ),
        (
            "no normalisation of the dense layer",
            "layers.ReLU()(BatchNormalization()(layers.Dense(1024, use_bias=False)(x)))",
            "layers.ReLU()(layers.Dense(1024, use_bias=False)(x))",
        ),
    ),
    *edits_of(
        "dim/encoders/alex64.py",
        "tests/encoders/test_alex64.py",
        ("windows of 2", "MaxPooling2D(3, strides=2)", "MaxPooling2D(2, strides=2)"),
        (
            "split one convolution later",
            "feature_map = split_here(_convolution(x, 384))\n    x = _convolution(feature_map, 384)",
            "feature_map = x = split_here(_convolution(_convolution(x, 384), 384))",
        ),
    ),
    *edits_of(
        "dim/encoders/resnet18.py",
        "tests/encoders/test_resnet18.py",
        ("32 pixels are pooled too", "if image_size > 32:", "if image_size >= 32:"),
        (
            "split one stage earlier",
            "feature_map = split_here(_stage(x, 4 * width, stride=2))\n    x = _stage(feature_map,",
            "feature_map = split_here(x)\n    x = _stage(_stage(feature_map, 4 * width, stride=2),",
        ),
        (
            "no shortcut",
            "layers.Add()([_normalised_convolution(x, channels), shortcut])",
            "_normalised_convolution(x, channels)",
        ),
        ("Keras' lopsided padding", 'padding = "same" if stride == 1 else "valid"', 'padding = "same"'),
    ),
    *edits_of(
        "dim/encoders/mobilenetv2.py",
        "tests/encoders/test_mobilenetv2.py",
        ("split at a sixteenth of the side", '"block_6_expand_relu", image', '"block_13_expand_relu", image'),
    ),
    *edits_of(
        "dim/encoders/backbone.py",
        "tests/encoders/test_backbone.py",
        ("the maximum over locations", "layers.GlobalAveragePooling2D()", "layers.GlobalMaxPooling2D()"),
        (
            "normalisation of another kind replaced too",
            "return False\n    return layer.axis",
            "return True\n    return layer.axis",
        ),
    ),
    *edits_of(
        "dim/encoders/rebuilt.py",
        "tests/encoders/test_rebuilt.py",
        ("weights left behind", "twin.set_weights(model.get_weights())", "pass"),
        ("precision left as it was", 'rebuilt(encoder, _plain, dtype="float32")', "rebuilt(encoder, _plain)"),
    ),
    *edits_of(
        "dim/methods/learner.py",
        "tests/methods/test_learner.py tests/methods/test_metric_learning.py "
        '-k "reaches or set_aside or calling or views_of"',
        ("a log-variance left trainable", "layer.trainable = False", "pass"),
        (
            "the mean set aside too",
            "if layer.name == LOG_VARIANCE:",
            'if layer.name in (LOG_VARIANCE, "mean"):',
        ),
        (
            "the same view twice",
            "[self.augmentation(images) for _ in range(self.views)]",
            "[self.augmentation(images)] * self.views",
        ),
        ("views in another order than they are told apart", "ops.stack(views, axis=1)", "ops.stack(views)"),
        ("views outside training", "self.seen(images) if training else images", "self.seen(images)"),
        ("no views in training", "self.seen(images) if training else images", "images"),
    ),
    *edits_of(
        "dim/methods/learner.py",
        'tests/methods/test_vae.py tests/methods/test_build.py -k "sampled or everything_random"',
        ("a variance for a standard deviation", "outputs[LOG_VARIANCE] / 2", "outputs[LOG_VARIANCE]"),
        ("the seed of the sampling ignored", "super().__init__(seed, ", "super().__init__(0, "),
    ),
    *edits_of(
        "dim/methods/supervised.py",
        "tests/methods/test_supervised.py",
        ("the sum over the batch", 'record("cross_entropy", ops.mean(', 'record("cross_entropy", ops.sum('),
        ("logits taken for probabilities", "from_logits=True", "from_logits=False"),
    ),
    *edits_of(
        "dim/methods/metric_learning.py",
        "tests/methods/test_metric_learning.py",
        (
            "labels in the wrong order",
            "ops.repeat(y, self.views, axis=0)",
            "ops.concatenate([y] * self.views)",
        ),
        ("codes that keep their length", "codes = unit(y_pred[MEAN])", "codes = y_pred[MEAN]"),
        (
            "the margin for all",
            "self.temperature if self.loss_name in BY_TEMPERATURE else self.margin",
            "self.margin",
        ),
    ),
    *edits_of(
        "dim/methods/vicreg.py",
        "tests/methods/test_vicreg.py",
        ("variance with B", 'ops.shape(embeddings)[0] - 1, "float32"', 'ops.shape(embeddings)[0], "float32"'),
        (
            "variances of two views summed",
            "(variance(one) + variance(other)) / 2",
            "variance(one) + variance(other)",
        ),
        ("variances count as covariances", "products * (1 - ops.eye(U))", "products"),
        (
            "no root of the variance",
            "deviation = ops.sqrt(ops.sum(ops.square(centred), axis=0) / freedom + _EPSILON)",
            "deviation = ops.sum(ops.square(centred), axis=0) / freedom + _EPSILON",
        ),
        (
            "invariance summed over dimensions",
            "return ops.mean(ops.square(one - other))",
            "return ops.mean(ops.sum(ops.square(one - other), axis=1))",
        ),
    ),
    *edits_of(
        "dim/methods/vae.py",
        "tests/methods/test_vae.py",
        (
            "the KL averaged over dimensions",
            "ops.mean(ops.sum(kl_to_standard_normal(y_pred[MEAN], y_pred[LOG_VARIANCE]), axis=1))",
            "ops.mean(kl_to_standard_normal(y_pred[MEAN], y_pred[LOG_VARIANCE]))",
        ),
        ("β ignored", "reconstruction + self.beta * kl", "reconstruction + kl"),
        (
            "the image behind the view drawn",
            "(self.sample(y_pred), y_pred[_SEEN])",
            "(self.sample(y_pred), x)",
        ),
        ("codes that are not sampled", "(self.sample(y_pred), y_pred", "(y_pred[MEAN], y_pred"),
        ("pixels on another scale", "/ 127.5 - 1\n    deviation", "/ 255\n    deviation"),
        ("a density without its norm", "math.log(2 * math.pi * SIGMA**2)", "math.log(2 * math.pi)"),
        (
            "views outside training",
            "        if not training:\n            return super().call(images)\n",
            "",
        ),
    ),
    *edits_of(
        "dim/encoders/decoder.py",
        "tests/encoders/test_decoder.py",
        ("a strong last convolution", "VarianceScaling(1e-4)", "VarianceScaling(1.0)"),
        ("channels halved one block late", "C // 2 ** (block + 1)", "C // 2**block"),
        (
            "low precision to the end",
            'kernel_initializer=nearly_grey, dtype="float32")',
            "kernel_initializer=nearly_grey)",
        ),
    ),
]
