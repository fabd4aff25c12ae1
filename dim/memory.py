"""Memory: whether it ran out, in the words of every library, and how to keep it."""

import ctypes
import sys

_CLASSES = {"MemoryError", "ResourceExhaustedError", "OutOfMemoryError"}
_WORDS = ("RESOURCE_EXHAUSTED", "OOM when allocating", "can't allocate memory", "out of memory", "bad_alloc")


def exhausted(error: BaseException) -> bool:
    """Whether an exception of NumPy, TensorFlow, JAX, torch or FAISS says that memory ran out."""
    if _CLASSES.intersection(kind.__name__ for kind in type(error).__mro__):
        return True
    return isinstance(error, (RuntimeError, ValueError)) and any(word in str(error) for word in _WORDS)


def keep_freed() -> None:
    """From now on the process keeps memory that it frees, for what it needs next.

    The C library glibc gives every large array back to the system at once, whose zeroed pages for the next
    one cost more than the arithmetic on it. Does nothing where it is another library.
    """
    if sys.platform != "linux":
        return
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    for option, value in _KEEP.items() if mallopt else ():
        mallopt(option, value)


_MMAP_MAX, _TRIM_THRESHOLD, _TOP_PAD = -4, -1, -2  # numbers of malloc.h
_KEEP = {_MMAP_MAX: 0, _TRIM_THRESHOLD: 2**31 - 1, _TOP_PAD: 2**28}
