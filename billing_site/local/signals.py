"""Signals that stop the launcher. A handler only writes to a pipe, which the main thread reads wherever it waits."""

import os
import select
import signal
from types import FrameType

# Ctrl-C, `kill` or `timeout`, and a closed terminal.
ASK_TO_STOP = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Stop(Exception):
    """The launcher received a signal to stop. Raised only by StopSignals.pause."""


class StopSignals:
    """Remembers a signal of ASK_TO_STOP. Create it in the main thread, before anything is started."""

    def __init__(self) -> None:
        self._reader, self._writer = os.pipe()
        os.set_blocking(self._writer, False)
        for number in ASK_TO_STOP:
            # Under nohup, which asks to go on after the terminal is closed, SIGHUP is ignored from the start.
            if number != signal.SIGHUP or signal.getsignal(number) is not signal.SIG_IGN:
                signal.signal(number, self._note)

    def pause(self, seconds: float) -> None:
        """Sleep. Raise Stop as soon as a signal has come, and at each later call."""
        if select.select([self._reader], [], [], seconds)[0]:
            raise Stop

    def ignore(self) -> None:
        """Ignore further signals until this process ends, so that nothing interrupts stopping."""
        for number in ASK_TO_STOP:
            signal.signal(number, signal.SIG_IGN)

    def _note(self, number: int, frame: FrameType | None) -> None:
        try:
            os.write(self._writer, b".")
        except BlockingIOError:
            pass  # the pipe is full of earlier signals
