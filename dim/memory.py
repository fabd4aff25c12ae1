"""Whether it was memory that ran out, in the words of every library."""

_CLASSES = {"MemoryError", "ResourceExhaustedError", "OutOfMemoryError"}
_WORDS = ("RESOURCE_EXHAUSTED", "OOM when allocating", "can't allocate memory", "out of memory", "bad_alloc")


def exhausted(error: BaseException) -> bool:
    """Whether an exception of NumPy, TensorFlow, JAX, torch or FAISS says that memory ran out."""
    if _CLASSES.intersection(kind.__name__ for kind in type(error).__mro__):
        return True
    return isinstance(error, (RuntimeError, ValueError)) and any(word in str(error) for word in _WORDS)
