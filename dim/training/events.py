"""TensorBoard's events, written by the thread that has something to say.

tensorboardX leaves that to a thread of its own. Where the disk is full that thread dies, unheard, and the
process waits for it until somebody kills it.
"""

from io import FileIO
from pathlib import Path

from tensorboardX import SummaryWriter
from tensorboardX.event_file_writer import EventsWriter
from tensorboardX.proto.event_pb2 import Event, SessionLog
from tensorboardX.writer import FileWriter


class Events(SummaryWriter):
    """A `SummaryWriter` in a folder whose methods raise OSError where they cannot write.

    The first event has the step `first`; those that older files have of it and later ones are withdrawn.
    """

    def __init__(self, folder: Path, first: int):
        self._first = first
        folder.mkdir(parents=True, exist_ok=True)
        super().__init__(str(folder.absolute()))

    def _get_file_writer(self):
        if self.file_writer is None:
            self.file_writer = _Direct(self.logdir)
            self.all_writers = {self.logdir: self.file_writer}
            start = SessionLog(status=SessionLog.START)
            for withdrawn in {"file_version": "brain.Event:2"}, {"session_log": start}:
                self.file_writer.add_event(Event(step=self._first, **withdrawn))
        return self.file_writer


class _Direct(FileWriter):
    def __init__(self, folder: str):
        self._default_metadata = {}
        self.event_writer = _Writer(folder)


class _Writer:
    """What a `FileWriter` wants of tensorboardX's `EventFileWriter`, without its queue and thread."""

    def __init__(self, folder: str):
        self.events = EventsWriter(f"{folder}/events")
        self.flush, self.close = self.events.flush, self.events.close
        records = self.events._py_recordio_writer
        records._writer.close()
        self.path = records.path
        records._writer = FileIO(self.path, "ab")  # without a buffer, which would fail once more at the end

    def add_event(self, event: Event) -> None:
        try:
            self.events.write_event(event)
        except OSError as error:
            error.filename = self.path
            raise
