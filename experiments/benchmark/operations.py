"""Counts what a training step or an encoder has to compute, from the graph that the backend traces.

Only matrix products and convolutions are counted, two operations for each multiplication with its
addition; positions in the padding count as well.
"""

import math
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import keras

_STATE = "trainable", "non_trainable", "optimizer", "metrics"


def of_training_step(model: keras.Model, images) -> int:
    """Forward, backward and update on a batch of images [B, H0, W0, 3] uint8; on torch it is really made."""
    if keras.backend.backend() == "jax":
        return _of_program(model.train_step, jax_state(model), (images,))
    return _of_call(lambda x: model.train_step((x,)), images)


def of_encoding(encoder: keras.Model, images) -> int:
    """A call of a model on a batch, not in training."""
    if keras.backend.backend() == "jax":
        weights = encoder.trainable_variables, encoder.non_trainable_variables
        values = ([variable.value for variable in each] for each in weights)
        return _of_program(partial(encoder.stateless_call, training=False), *values, images)
    return _of_call(partial(encoder, training=False), images)


def jax_state(model: keras.Model, **options):
    """What JAX hands through a training step."""
    return model._get_jax_state(**{f"{kind}_variables": True for kind in _STATE}, **options)


def _of_call(function: Callable, images) -> int:
    """TensorFlow traces a function of a batch; PyTorch has no graph, so that it has to run."""
    if keras.backend.backend() == "tensorflow":
        return count(traced(function, images))
    from torch.utils.flop_counter import FlopCounterMode

    with FlopCounterMode(display=False) as counter:
        function(images)
    return counter.get_total_flops()


def traced(function: Callable, images) -> list:
    """Every TensorFlow operation of a function of a batch."""
    import tensorflow as tf

    spec = tf.TensorSpec(images.shape, "uint8")
    return list(_all_operations(tf.function(function, autograph=False).get_concrete_function(spec).graph))


def _all_operations(graph) -> Iterator:
    for operation in _needed(graph):
        yield operation
        for name in operation.node_def.attr:
            called = operation.node_def.attr[name].func.name
            if called and graph._is_function(called):
                yield from _all_operations(graph._get_function(called).graph)


def _needed(graph) -> list:
    """Without what nothing depends on and TensorFlow leaves out, such as the gradient of the images."""
    needed = {*(tensor.op for tensor in graph.outputs), *graph.control_outputs}
    for operation in reversed(graph.get_operations()):  # each stands behind what it depends on
        if operation in needed:
            needed |= {*(tensor.op for tensor in operation.inputs), *operation.control_inputs}
    return [operation for operation in graph.get_operations() if operation in needed]


def count(operations: list) -> int:
    """Of TensorFlow operations whose shapes are known."""
    return 2 * sum(map(_multiplied, operations))


def _multiplied(operation) -> int:
    out, shapes = operation.outputs[0].shape if operation.outputs else (), [t.shape for t in operation.inputs]
    match operation.type:
        case "Conv2D":
            return math.prod(out) * math.prod(shapes[1][:3])
        case "Conv2DBackpropInput":
            return math.prod(shapes[2]) * math.prod(shapes[1][:3])
        case "Conv2DBackpropFilter":
            return math.prod(shapes[2]) * math.prod(out[:3])
        case "MatMul":
            return math.prod(out) * shapes[0][0 if operation.get_attr("transpose_a") else 1]
        case "BatchMatMulV2" | "BatchMatMulV3":
            return math.prod(out) * shapes[0][-2 if operation.get_attr("adj_x") else -1]
        case "Einsum" if len(shapes) == 2:
            terms = operation.get_attr("equation").decode().partition("->")[0].split(",")
            pairs = (zip(term, shape, strict=True) for term, shape in zip(terms, shapes, strict=True))
            return math.prod({letter: size for pair in pairs for letter, size in pair}.values())
    return 0


def _of_program(function: Callable, *arguments: Any) -> int:
    """Of a function that JAX can trace."""
    import jax

    return 2 * sum(map(_multiplied_by_jax, _all_equations(jax.make_jaxpr(function)(*arguments).jaxpr)))


def _all_equations(jaxpr) -> Iterator:
    from jax.extend.core import ClosedJaxpr, Jaxpr

    for equation in jaxpr.eqns:
        yield equation
        for part in equation.params.values():
            if isinstance(part, ClosedJaxpr | Jaxpr):
                yield from _all_equations(part.jaxpr if isinstance(part, ClosedJaxpr) else part)


def _multiplied_by_jax(equation) -> int:
    if equation.primitive.name not in ("dot_general", "conv_general_dilated"):
        return 0
    left, right = (variable.aval.shape for variable in equation.invars)
    out, numbers = math.prod(equation.outvars[0].aval.shape), equation.params["dimension_numbers"]
    if equation.primitive.name == "dot_general":
        (contracted, _), _ = numbers
        return out * math.prod(left[axis] for axis in contracted)
    return out * math.prod(right) // right[numbers.rhs_spec[0]]
