"""Acts on rows that staff choose in a list: from the list to the review to its confirmation. No test lives here."""

from typing import Any

from django.test import Client

from tests.web import hidden


def choose(client: Client, path: str, act: str, *rows: Any) -> Any:
    """Choose an act for rows of the list at `path` and return the answer: the review, or the list if it is refused."""
    return client.post(path, {"action": act, "_selected_action": [row.pk for row in rows]}, follow=True)


def review(client: Client, path: str, act: str, *rows: Any, reason: str = "Asked by phone") -> Any:
    """Fill in the reason and return the table before -> after."""
    shown = choose(client, path, act, *rows)
    return client.post(f"{path}chosen/{act}/", {**hidden(shown), "reason": reason})


def confirm(client: Client, path: str, act: str, *rows: Any, times: int = 1) -> str:
    """Confirm the review so many times, as a double click does, and return the list that follows."""
    sent = {**hidden(review(client, path, act, *rows)), "reason": "Asked by phone", "confirmed": "1"}
    for _ in range(times):
        answer = client.post(f"{path}chosen/{act}/", sent, follow=True)
    return str(answer.content.decode())
