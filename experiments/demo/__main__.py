"""Shows an index in the browser: search by image, near-duplicates in groups, a map of the codes.

The index is made first where there is none. The page is for this machine alone, loads nothing from
elsewhere, and never deletes anything; --host opens it to others, who then need a name and a password.
"""

import os
from dataclasses import dataclass
from importlib.util import find_spec

from dim.errors import DimError
from experiments import command_line
from experiments.options import OfRun


@dataclass(frozen=True)
class Options(OfRun):
    """Options of `demo`."""

    data: str = ""
    """Name of an indexed data set, or any folder of images, Tiny-ImageNet as folder or zip, or photo-patches;
    by default what was indexed last, or what the run was trained on."""
    port: int = 7860
    """Where the page listens."""
    host: str = "127.0.0.1"
    """Address to listen on. Any other than this machine's own, such as 0.0.0.0, lets whoever reaches the
    machine see the images and search them, unencrypted; it wants a user, and a password in the environment
    as DIM_PASSWORD."""
    user: str = ""
    """Name that is asked for, with the password in DIM_PASSWORD."""


def demo(options: Options) -> None:
    """Serves the page until Ctrl-C."""
    from experiments.demo.opened import Opening
    from experiments.demo.serve import check_rights, listen, server

    password = os.environ.get("DIM_PASSWORD", "") if options.user else ""
    check_rights(options.host, options.user, password)
    if not find_spec("gradio"):
        raise DimError("Gradio is not installed here; make demo installs it, into .venv-demo")
    run, _ = options.opened()
    listening = listen(options.host, options.port)
    command_line.import_keras()

    opening = Opening(run, options.data)
    serving = server(opening, options.host, options.user, password)
    opening.at_last = lambda: setattr(serving, "should_exit", opening.failure is not None)
    opening.start()
    host, port = listening.getsockname()[:2]
    print(f"http://{f'[{host}]' if ':' in host else host}:{port}/  Ctrl-C ends it", flush=True)
    with command_line.nothing_to_lose():  # what an index that is being made has so far stays
        serving.run(sockets=[listening])
    if opening.failure:
        raise opening.failure


if __name__ == "__main__":
    command_line.run(demo, Options, __doc__)
