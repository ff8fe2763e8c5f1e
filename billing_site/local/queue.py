"""The broker of a local run: kombu's transport through files, with files that appear whole or not at all.

kombu creates a file and then writes it; who looks in between reads nothing, and ends of it
(https://github.com/celery/kombu/issues/1551). That goes for messages and for the table of who listens to what.
"""

from fcntl import LOCK_EX, flock
from pathlib import Path
from threading import Lock
from time import monotonic
from typing import Any
from uuid import uuid4

from kombu.exceptions import ChannelError
from kombu.transport import filesystem
from kombu.utils.json import dumps

BINDING = Lock()


class Channel(filesystem.Channel):
    """Puts messages where kombu's own reads them."""

    def _put(self, queue: str, payload: Any, **kwargs: Any) -> None:  # type: ignore[override] # as in kombu's
        """Write the message under a name that no reader looks for, then give it its own."""
        name = f"{round(monotonic() * 1000)}_{uuid4()}"
        draft = Path(self.data_folder_out, f"{name}.draft")
        try:
            draft.write_text(dumps(payload))
            draft.rename(Path(self.data_folder_out, f"{name}.{queue}.msg"))
        except OSError as error:
            raise ChannelError(f"The message cannot be written to {draft.parent}: {error}") from error

    def queue_bind(self, *args: Any, **kwargs: Any) -> None:
        """Bind one after the other: kombu tells a process's other threads that it is done before it is."""
        with BINDING:
            super().queue_bind(*args, **kwargs)

    def _queue_bind(self, exchange: str, routing_key: str | None, pattern: str | None, queue: str | None) -> None:
        """Add a listener to the exchange's table. The old table stands until the new one does."""
        file = Path(self.control_folder, f"{exchange}.exchange")
        file.parent.mkdir(exist_ok=True)
        new = filesystem.exchange_queue_t(routing_key or "", pattern or "", queue or "")
        with file.with_suffix(".lock").open("w") as turn:
            flock(turn, LOCK_EX)
            table = self.get_table(exchange)
            if new not in table:
                draft = file.with_suffix(".draft")
                draft.write_text(dumps([new, *table]))
                draft.rename(file)


class Transport(filesystem.Transport):
    """What settings.CELERY_BROKER_TRANSPORT names."""

    Channel = Channel
