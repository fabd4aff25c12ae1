"""The rival's side: the tasks of the process that runs PyTorch, where nothing else need be installed."""

import torch

from experiments.benchmark.torch_step import VARIANTS, Encode, Step, Views


def describe():
    cuda = f" on {torch.cuda.get_device_name()}" if torch.cuda.is_available() else ""
    return {}, {"variants": VARIANTS, "version": f"torch {torch.__version__}{cuda}"}


def step(**arguments):
    return {"step": _blocks(Step(**arguments))}, {}


def views(**arguments):
    return {"views": _blocks(Views(**arguments))}, {}


def encode(**arguments):
    return {"encode": _blocks(Encode(**arguments))}, {}


def profile(**arguments):
    """Milliseconds of a step by kind of operation."""
    from experiments.benchmark.profile import KINDS, kind_of_torch

    step = Step(**arguments)
    _blocks(step)(3)
    kinds = [torch.profiler.ProfilerActivity.CPU]
    with torch.profiler.profile(activities=kinds) as profiler:
        _blocks(step)(_PROFILED)
    milliseconds = dict.fromkeys(KINDS, 0.0)
    for event in profiler.key_averages():
        milliseconds[kind_of_torch(event.key)] += event.self_cpu_time_total / 1e3 / _PROFILED
    return {}, {"milliseconds": milliseconds}


_PROFILED = 5


def forget():
    torch._dynamo.reset()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()


def _blocks(function):
    """Calls a function a number of times, then waits for the device."""

    def block(times):
        for _ in range(times):
            function()
        if torch.cuda.is_available():
            torch.cuda.synchronize()

    return block


TASKS = {
    "describe": describe,
    "step": step,
    "views": views,
    "encode": encode,
    "profile": profile,
    "forget": forget,
}
