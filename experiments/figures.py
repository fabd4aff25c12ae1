"""How figures become files."""

import warnings


def save(figure, file, **how) -> None:
    """Saves a matplotlib figure. Letters that its font lacks, such as Chinese ones, become boxes in silence.

    Args:
        figure: to be saved.
        file: a path, or a binary file.
        how: as matplotlib's `savefig` takes it.
    """
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph .* missing from font", UserWarning)
        figure.savefig(file, **how)
