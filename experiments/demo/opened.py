"""The index of a run, made first where there is none, beside a page that says how far that is."""

from threading import Thread

from tqdm import tqdm

from dim import data
from dim.errors import DimError
from dim.files import typed_path
from dim.search.index import Index, NotIndexed, find
from dim.training.run import Run
from experiments.demo.finder import Finder
from experiments.index import Options as MakeIndex
from experiments.index import index as make_index


class Opening(Thread):
    """Opens the index of a data set, and the encoder of its run, in a thread of its own.

    Then there is a `finder`, or a `failure`, whatever it was; `at_last` is called.
    """

    def __init__(self, run: Run, where: str):
        super().__init__(daemon=True)
        self.finder: Finder | None = None
        self.failure: Exception | None = None
        self._run, self._where, self.at_last = run, where, lambda: None

    def run(self) -> None:
        try:
            self.finder = opened(self._run, self._where)
        except Exception as error:  # for whoever started this, in the thread that can end the program
            self.failure = error
        self.at_last()


def opened(run: Run, where: str) -> Finder:
    """Of an index that is made first where there is none; DimError where that cannot be."""
    from dim.encoders import MEAN
    from dim.encoders.embedding import fingerprint

    index = found_or_made(run, where)
    encoder = run.load_encoder()
    index.check(fingerprint(encoder), encoder.output[MEAN].shape[-1])
    return Finder(index, encoder, run.configuration().image_size)


def found_or_made(run: Run, where: str) -> Index:
    """The index of a data set, by name or path, or of what the run was trained on or indexed last."""
    try:
        return find(run.path, where)
    except NotIndexed as error:
        given = not where or where == data.PHOTO_PATCHES or data.store.is_address(where)
        if not given and not typed_path(where).exists():
            raise DimError(f"{error}; or give a folder of images") from None
    make_index(MakeIndex(run=str(run.path) if "/" in run.name else run.name, data=where))
    return find(run.path, where)


def progress() -> str:
    """How far the work is that shows a progress bar in the terminal, or nothing."""
    bars = [bar for bar in list(getattr(tqdm, "_instances", ())) if bar.total]
    return " · ".join(f"{bar.desc.rstrip(': ')}: {bar.n:,} of {bar.total:,}{bar.unit}" for bar in bars)
