"""The command line: ``paydown``, one file a noun.

Law of this package: a user's mistake is one clear sentence on stderr and status 1 (2 for a wrong
option), never a traceback. Every command that answers takes ``--json``, which prints one document
on stdout. No password is ever an argument: the list of processes shows arguments to everybody.
"""

import signal
import sys

try:
    from paydown.cli.commands import app
except KeyboardInterrupt:  # Ctrl-C while Python still reads the program
    sys.stderr.write("Interrupted.\n")
    sys.exit(130)

__all__ = ["app", "main"]


def main() -> None:
    """Run the command that was typed."""
    try:
        app()
    finally:
        # All is done and said: while Python ends there is nothing left to interrupt.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
