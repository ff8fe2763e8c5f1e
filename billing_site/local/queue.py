"""The broker of a local run: kombu's transport through files, with messages that appear whole or not at all.

kombu creates a message's file and then writes it; a worker that looks in between reads nothing, and ends of it
(https://github.com/celery/kombu/issues/1551).
"""

from pathlib import Path
from time import monotonic
from typing import Any
from uuid import uuid4

from kombu.exceptions import ChannelError
from kombu.transport import filesystem
from kombu.utils.json import dumps


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


class Transport(filesystem.Transport):
    """What settings.CELERY_BROKER_TRANSPORT names."""

    Channel = Channel
