"""What can be done with `dim`: one thin program a verb."""

import signal
import sys

if sys.argv[0] == "-m" and signal.getsignal(signal.SIGINT) is signal.default_int_handler:
    # `python -m experiments.NAME` has just begun. Until `command_line.run` listens, Ctrl-C ends it silently.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
