"""Lists are newest first, in pages that do not shift while rows arrive."""

import base64

import pytest

from accounts.models import User

PEOPLE = "/api/test/people/"


@pytest.fixture(autouse=True)
def _views(db, test_urls):
    pass


@pytest.fixture
def crowd():
    """Return 25 users, the oldest first."""
    return User.objects.bulk_create(User(username=f"u{n:02}", email=f"u{n}@example.com") for n in range(25))


def names(page) -> list[str]:
    return [row["username"] for row in page["results"]]


def test_pages_neither_skip_nor_repeat_rows_while_new_ones_arrive(client, crowd):
    seen, url = [], PEOPLE + "?limit=10"
    while url:
        page = client.get(url).json()
        seen += names(page)
        User.objects.create(username=f"late{len(seen)}", email=f"late{len(seen)}@example.com")
        url = page["next"]
    assert seen == [f"u{n:02}" for n in reversed(range(25))]


def test_previous_returns_to_the_first_page(client, crowd):
    first = client.get(PEOPLE + "?limit=10").json()
    assert first["previous"] is None
    second = client.get(first["next"]).json()
    assert names(client.get(second["previous"]).json()) == names(first)


def test_the_default_page_size_is_twenty(client, crowd):
    assert len(client.get(PEOPLE).json()["results"]) == 20
    assert len(client.get(PEOPLE + "?limit=1").json()["results"]) == 1
    assert len(client.get(PEOPLE + "?limit=100").json()["results"]) == 25


@pytest.mark.parametrize("limit", ["0", "101", "-1", "abc", "", "1e2", "１", "1.0", "9" * 50, "%00"])
def test_a_limit_outside_1_to_100_is_an_error(client, limit):
    answer = client.get(f"{PEOPLE}?limit={limit}")
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["param"] == "limit"


def b64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


@pytest.mark.parametrize(
    "cursor",
    ["", "abc", "!", "%FF", b64("p=abc"), b64("p=-1"), b64("p=" + "9" * 30), b64("o=5"), b64("o=1000000000&p=5"),
     b64("r=x&p=1"), b64("p="), b64("p=1.5"), b64("p=１"), b64("p=1_0"), b64("p= 1"), "Ж", "A" * 5000],
)  # fmt: skip
def test_an_invalid_cursor_is_400(client, crowd, cursor):
    answer = client.get(PEOPLE, {"cursor": cursor})
    assert answer.status_code == 400, answer.content
    assert answer.json()["code"] == "invalid_cursor"


def test_an_empty_list_has_a_detail(client):
    assert client.get(PEOPLE).json() == {"detail": "Nobody found", "results": [], "next": None, "previous": None}


def test_a_list_with_rows_has_no_detail(client, alice):
    assert "detail" not in client.get(PEOPLE).json()
