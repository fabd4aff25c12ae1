"""Counts what a training step or an encoder has to compute, from the graph that the backend traces.

Only matrix products and convolutions are counted as operations, two for each multiplication with its
addition; positions in the padding count as well. Bytes are those of every tensor that an operation reads or
writes, as if none were fused with its neighbour.
"""

import math
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import keras

_FREE = {"Const", "Identity", "NoOp", "Placeholder", "ReadVariableOp", "Reshape", "Shape", "StopGradient"}
_FREE |= {"ExpandDims", "Squeeze", "IdentityN", "BroadcastGradientArgs", "PartitionedCall"}
_FREE |= {"StatefulPartitionedCall", "StridedSlice"}


class Count(NamedTuple):
    """Of one call on one batch; `bytes` is None where the backend has no graph."""

    operations: int
    bytes: int | None


def of_training_step(model: keras.Model, images) -> Count:
    """Forward, backward and update on a batch of images [B, H0, W0, 3] uint8; on torch it is really made."""
    return {"tensorflow": _tensorflow_step, "jax": _jax_step, "torch": _torch_step}[_backend()](model, images)


def of_encoding(encoder: keras.Model, images) -> Count:
    """A call of a model on a batch, not in training."""
    if _backend() == "tensorflow":
        return count(traced(lambda x: encoder(x, training=False), images))
    if _backend() == "jax":
        state = (
            [v.value for v in encoder.trainable_variables],
            [v.value for v in encoder.non_trainable_variables],
        )
        return _of_program(
            lambda state, x: encoder.stateless_call(*state, x, training=False)[0], state, images
        )
    return _while_running(lambda: encoder(images, training=False))


def _backend() -> str:
    return keras.backend.backend()


def _tensorflow_step(model, images):
    return count(training_graph(model, images))


def training_graph(model: keras.Model, images) -> list:
    """Every operation of TensorFlow's graph of one training step, shapes known."""
    return traced(lambda x: model.train_step((x,)), images)


def traced(function: Callable, images) -> list:
    """Every TensorFlow operation of a function of a batch."""
    import tensorflow as tf

    spec = tf.TensorSpec(images.shape, "uint8")
    graph = tf.function(function, autograph=False).get_concrete_function(spec).graph
    return list(_all_operations(graph))


def _all_operations(graph) -> Iterator:
    for operation in _needed(graph):
        yield operation
        for name in operation.node_def.attr:
            called = operation.node_def.attr[name].func.name
            if called and graph._is_function(called):
                yield from _all_operations(graph._get_function(called).graph)


def _needed(graph) -> list:
    """Without what nothing depends on and TensorFlow leaves out, such as the gradient of the images."""
    pending = [*(tensor.op for tensor in graph.outputs), *graph.control_outputs]
    needed = set()
    while pending:
        operation = pending.pop()
        if operation not in needed:
            needed.add(operation)
            pending += [*(tensor.op for tensor in operation.inputs), *operation.control_inputs]
    return [operation for operation in graph.get_operations() if operation in needed]


def count(operations: list) -> Count:
    """Of TensorFlow operations whose shapes are known."""
    return Count(sum(map(_multiplied, operations)), sum(map(_touched, operations)))


def _multiplied(operation) -> int:
    shapes = [tensor.shape for tensor in operation.inputs]
    match operation.type:
        case "Conv2D":
            return 2 * _size(operation.outputs[0].shape) * _size(shapes[1][:3])
        case "Conv2DBackpropInput":
            return 2 * _size(shapes[2]) * _size(shapes[1][:3])
        case "Conv2DBackpropFilter":
            return 2 * _size(shapes[2]) * _size(operation.outputs[0].shape[:3])
        case "MatMul":
            return (
                2
                * _size(operation.outputs[0].shape)
                * shapes[0][0 if operation.get_attr("transpose_a") else 1]
            )
        case "BatchMatMulV2" | "BatchMatMulV3":
            return (
                2 * _size(operation.outputs[0].shape) * shapes[0][-2 if operation.get_attr("adj_x") else -1]
            )
        case "Einsum":
            inputs, _, _ = operation.get_attr("equation").decode().partition("->")
            terms = inputs.split(",")
            if len(terms) == 1:
                return 0
            sizes = {
                letter: size
                for term, shape in zip(terms, shapes, strict=True)
                for letter, size in zip(term, shape, strict=True)
            }
            return 2 * math.prod(sizes.values())
    return 0


def _touched(operation) -> int:
    if operation.type in _FREE:
        return 0
    tensors = [*operation.inputs, *operation.outputs]
    known = (tensor for tensor in tensors if tensor.dtype.size and tensor.shape.is_fully_defined())
    return sum(_size(tensor.shape) * tensor.dtype.size for tensor in known if tensor.dtype.name != "resource")


def _size(shape) -> int:
    return math.prod(shape)


def _jax_step(model, images):
    kinds = "trainable", "non_trainable", "optimizer", "metrics"
    state = model._get_jax_state(**{f"{kind}_variables": True for kind in kinds}, purge_model_variables=False)
    return _of_program(model.train_step, state, (images,))


def _of_program(function: Callable, *arguments: Any) -> Count:
    """Of a function that JAX can trace."""
    import jax

    equations = list(_all_equations(jax.make_jaxpr(function)(*arguments).jaxpr))
    return Count(sum(_multiplied_by_jax(e) for e in equations), sum(_touched_by_jax(e) for e in equations))


def _all_equations(jaxpr) -> Iterator:
    from jax.extend.core import ClosedJaxpr, Jaxpr

    for equation in jaxpr.eqns:
        inner = [p.jaxpr if isinstance(p, ClosedJaxpr) else p for p in equation.params.values()]
        inner = [p for p in inner if isinstance(p, Jaxpr)]
        if not inner:
            yield equation
        for part in inner:
            yield from _all_equations(part)


def _multiplied_by_jax(equation) -> int:
    if equation.primitive.name not in ("dot_general", "conv_general_dilated"):
        return 0
    left, right = (variable.aval.shape for variable in equation.invars)
    out = equation.outvars[0].aval.shape
    if equation.primitive.name == "dot_general":
        (contracted, _), _ = equation.params["dimension_numbers"]
        return 2 * _size(out) * _size(left[axis] for axis in contracted)
    channels = equation.params["dimension_numbers"].rhs_spec[0]
    return 2 * _size(out) * _size(right) // right[channels]


def _touched_by_jax(equation) -> int:
    shapes = [v.aval for v in (*equation.invars, *equation.outvars) if hasattr(v.aval, "shape")]
    return sum(_size(aval.shape) * getattr(aval.dtype, "itemsize", 4) for aval in shapes)


def _torch_step(model, images):
    return _while_running(lambda: model.train_step((images,)))


def _while_running(function: Callable) -> Count:
    """PyTorch has no graph, so that it has to run."""
    from torch.utils.flop_counter import FlopCounterMode

    with FlopCounterMode(display=False) as counter:
        function()
    return Count(counter.get_total_flops(), None)
