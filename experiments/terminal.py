"""Standard output and error that take any text, and survive whoever reads them."""

import io
import os
import sys


class _Descriptor(io.FileIO):
    """Where writing fails, as when `head` has read enough, the rest is dropped and the program goes on.

    Its files matter more than what it says of them.
    """

    failure = None  # why the rest was dropped

    def write(self, content) -> int:
        try:
            return super().write(content)
        except OSError as error:
            self.failure = self.failure or error
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, self.fileno())  # for all who share it
            os.close(nowhere)
            return len(content)


def protect() -> None:
    """Puts such streams in the place of the process's own, as far as it has any.

    What their encoding lacks becomes backslash escapes.
    """
    for name in "stdout", "stderr":
        stream = getattr(sys, name)
        if type(stream) is io.TextIOWrapper:  # not that of a test or a notebook
            stream.flush()
            binary = io.BufferedWriter(_Descriptor(stream.fileno(), "w", closefd=False))
            alike = {"line_buffering": stream.line_buffering, "write_through": stream.write_through}
            setattr(sys, name, io.TextIOWrapper(binary, stream.encoding, "backslashreplace", **alike))


def failure() -> OSError | None:
    """What kept standard output from being written so far."""
    if sys.stdout is not None:
        sys.stdout.flush()
    raw = getattr(getattr(sys.stdout, "buffer", None), "raw", None)
    return getattr(raw, "failure", None)
