"""Standard output and error that take any text, and survive whoever reads them."""

import io
import os
import sys


class Stream(io.TextIOWrapper):
    """Text to a file descriptor. What its encoding lacks becomes backslash escapes.

    Where writing fails, as when `head` has read enough, the rest is dropped and the program goes on: its
    files matter more than what it says of them.

    Attributes:
        failure: why the rest was dropped, or None.
    """

    def __init__(self, like: io.TextIOWrapper):
        self._raw = _Descriptor(like.fileno(), "w", closefd=False)
        alike = {"line_buffering": like.line_buffering, "write_through": like.write_through}
        super().__init__(io.BufferedWriter(self._raw), like.encoding, "backslashreplace", **alike)

    @property
    def failure(self) -> OSError | None:
        return self._raw.failure


class _Descriptor(io.FileIO):
    failure = None

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
    """Puts such streams in the place of the process's own, as far as it has any."""
    for name in "stdout", "stderr":
        stream = getattr(sys, name)
        if type(stream) is io.TextIOWrapper:  # not that of a test or a notebook
            stream.flush()
            setattr(sys, name, Stream(stream))


def failure() -> OSError | None:
    """What kept standard output from being written so far."""
    if sys.stdout is not None:
        sys.stdout.flush()
    return getattr(sys.stdout, "failure", None)
