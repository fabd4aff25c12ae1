"""The one exception that stands for a mistake the user can mend."""


class DimError(Exception):
    """Input that cannot be worked with.

    The message is a single line that says what is wrong, where, and what to do about it. The
    programs in `experiments/` print it and exit with status 1; anything else that escapes is a bug
    and keeps its traceback.
    """
