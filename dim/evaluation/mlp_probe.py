"""The probe of the paper: one hidden layer on frozen features."""

import keras
import numpy as np
from keras import layers

from dim.data.batches import Batches, let_go
from dim.evaluation.probes import ProbeData, ProbeResult, probe_evaluator

RATES = (1e-3, 1e-4)
EPOCHS, _PATIENCE = 15, 4
_BATCH, _AT_ONCE = 200, 1000


def mlp_probe(data: ProbeData, seed: int = 0) -> ProbeResult:
    """200 hidden units with dropout 0.1, batch normalisation and ReLU (Hjelm et al. 2019, section 4.1).

    Learning rate and number of epochs, at most 15, are those of the highest accuracy on the slice; then the
    probe is trained anew on all training images. The paper's code keeps to Adam 1e-4, which it cuts by ten
    after 50 and 100 epochs. The seed is that of initial weights, dropout and the order of the images.
    """
    classes = int(max(data.labels.max(), data.val_labels.max())) + 1
    model = _probe(data.train.shape[1:], classes, seed)
    initial = [np.array(keras.ops.convert_to_numpy(variable)) for variable in model.variables]
    best = (-1.0, 0.0, 0)
    for rate in RATES:
        history = _train(model, initial, *data.without_slice(), rate, EPOCHS, seed, data.slice())
        epoch = int(np.argmax(history["val_accuracy"]))
        best = max(best, (history["val_accuracy"][epoch], rate, epoch + 1), key=lambda choice: choice[0])
    _, rate, epochs = best
    _train(model, initial, data.train, data.labels, rate, epochs, seed)
    logits = model.predict(data.val, batch_size=_AT_ONCE, verbose=0)
    accuracy = np.mean(np.argmax(logits, axis=1) == data.val_labels)
    return ProbeResult(float(accuracy), {"learning_rate": rate, "epochs": epochs})


def _probe(shape, classes, seed):
    def dense(units, offset):
        initial = keras.initializers.GlorotUniform(seed + offset)
        return layers.Dense(units, kernel_initializer=initial, dtype="float32")

    dropout = layers.Dropout(0.1, seed=seed, dtype="float32")
    normal, relu = layers.BatchNormalization(dtype="float32"), layers.ReLU(dtype="float32")
    model = keras.Sequential([keras.Input(shape), dense(200, 0), dropout, normal, relu, dense(classes, 1)])
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(), loss, metrics=["accuracy"])
    model.optimizer.build(model.trainable_variables)
    label, scores = keras.ops.zeros(1, "int32"), keras.ops.zeros((1, classes))
    model.compute_loss(y=label, y_pred=scores)
    model.compute_metrics(None, label, scores)  # or the first `fit` would take a batch to build these
    return model


def _train(model, initial, x, y, rate, epochs, seed, validation=None):
    """From the initial weights, whatever the model was trained for before; one model is traced once."""
    for variable, value in zip(model.variables, initial, strict=True):
        variable.assign(value)
    for variable in model.optimizer.variables:
        variable.assign(keras.ops.zeros(variable.shape, variable.dtype))
    model.optimizer.learning_rate = rate
    batches = Batches(x, min(_BATCH, len(x)), seed, labels=y)
    stop = keras.callbacks.EarlyStopping("val_accuracy", patience=_PATIENCE, mode="max")
    how = {"steps_per_epoch": batches.steps_per_epoch, "epochs": epochs, "shuffle": False, "verbose": 0}
    if validation is not None:
        how |= {"validation_data": validation, "validation_batch_size": _AT_ONCE, "callbacks": [stop]}
    history = model.fit(batches, **how)
    let_go(batches)
    return history.history


_ABOUT = """
- MLP: one layer of 200 units, batch normalisation and dropout 0.1 (Hjelm et al. 2019, section 4.1); its
  settings are the best on a tenth of the images.
"""
MLP_PROBE = probe_evaluator("MLP probe", "mlp", "MLP", lambda data, seed: mlp_probe(data, seed), _ABOUT)
