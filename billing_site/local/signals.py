"""Signals that ask the launcher to stop. A handler only writes to a pipe; the main thread reads it where it waits."""

import os
import select
import signal
from types import FrameType

# Ctrl-C, `kill` or `timeout`, and a closed terminal.
ASK_TO_STOP = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Stop(Exception):
    """The launcher was asked to stop. Raised only by StopSignals.pause."""


class StopSignals:
    """Remembers that one of ASK_TO_STOP came. Make it in the main thread, before anything is started."""

    def __init__(self) -> None:
        self._reader, self._writer = os.pipe()
        os.set_blocking(self._writer, False)
        for number in ASK_TO_STOP:
            signal.signal(number, self._note)

    def pause(self, seconds: float) -> None:
        """Sleep. Raise Stop at once, now and at each later call, when a signal has come."""
        if select.select([self._reader], [], [], seconds)[0]:
            raise Stop

    def ignore(self) -> None:
        """Ignore further signals until this process ends, so that stopping is not cut short."""
        for number in ASK_TO_STOP:
            signal.signal(number, signal.SIG_IGN)

    def _note(self, number: int, frame: FrameType | None) -> None:
        try:
            os.write(self._writer, b".")
        except BlockingIOError:
            pass  # the pipe is full of earlier signals
