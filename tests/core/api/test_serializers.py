"""Unknown fields and filters are refused by name, and errors say what was sent and what is allowed."""

import pytest

ORDERS = "/api/test/orders"


@pytest.fixture(autouse=True)
def _views(db, test_urls):
    pass


def errors(answer) -> dict:
    assert answer.status_code == 400, answer.content
    assert answer.json()["code"] == "validation_failed"
    return {error["param"]: error for error in answer.json()["errors"]}


def test_an_unknown_field_error_lists_the_allowed_fields(client):
    details = errors(client.post(ORDERS, {"name": "a", "qantity": 5}))
    assert set(details) == {"qantity"}
    assert details["qantity"]["code"] == "unknown_field"
    assert "Did you mean quantity?" in details["qantity"]["detail"]
    assert "Allowed: email, items, name, quantity, secret." in details["qantity"]["detail"]


def test_a_read_only_field_is_unknown(client):
    assert errors(client.post(ORDERS, {"name": "a", "number": "1"}))["number"]["code"] == "unknown_field"


def test_all_errors_are_reported_at_once_with_their_paths(client):
    sent = {"nam": "a", "quantity": 0, "items": [{"colour": "red"}, {"colour": "blue", "size": 1}]}
    details = errors(client.post(ORDERS, sent))
    assert set(details) == {"nam", "name", "quantity", "items.1.colour", "items.1.size"}


def test_the_detail_names_the_value_sent_and_the_values_allowed(client):
    details = errors(client.post(ORDERS, {"name": "a" * 21, "quantity": 101, "items": [{"colour": "blue"}]}))
    assert "100" in details["quantity"]["detail"]
    assert "You sent: 101" in details["quantity"]["detail"]
    assert "20" in details["name"]["detail"]
    assert '"blue"' in details["items.0.colour"]["detail"]
    assert "Allowed: red, green." in details["items.0.colour"]["detail"]


def test_a_secret_is_never_sent_back(client):
    answer = client.post(ORDERS, {"name": "a", "secret": "hunter2"})
    assert "secret" in errors(answer)
    assert "hunter2" not in answer.content.decode()


def test_the_size_of_the_answer_is_bounded(client):
    answer = client.post(ORDERS, {"x" * 5000 + str(number): 1 for number in range(40)} | {"quantity": "y" * 5000})
    assert answer.status_code == 400
    assert len(answer.content) < 20_000


@pytest.mark.parametrize("body", ["[]", '"a"', "1", "null", "true", '[{"name": "a"}]'])
def test_a_body_that_is_not_an_object_is_an_error(client, body):
    answer = client.generic("POST", ORDERS, body, content_type="application/json")
    assert errors(answer)


def test_an_empty_body_has_no_fields(client):
    assert set(errors(client.generic("POST", ORDERS, b"", content_type="application/json"))) == {"name"}


@pytest.mark.parametrize(
    "name",
    ["a\u202eb", "a\u200bb", "a\x07b", "a\nb", "a\ue000b", "a\ufeffb", "a\x85b", ["a"], {"a": 1}, True, None, ""],
)
def test_invisible_characters_and_other_types_are_refused(client, name):
    assert "name" in errors(client.post(ORDERS, {"name": name}))


@pytest.mark.parametrize("name", ["Zoë", "Жанна", "李", "👨‍👩‍👧", "O'Brien"])
def test_text_in_any_script_is_accepted(client, name):
    assert client.post(ORDERS, {"name": name}).json()["name"] == name


def test_text_is_normalized(client):
    assert client.post(ORDERS, {"name": "Zoe\u0308"}).json()["name"] == "Zoë"
    # Full-width letters and an upper-case domain are the same address.
    assert client.post(ORDERS, {"name": "a", "email": "Ａlice@Example.COM"}).json()["email"] == "alice@example.com"


@pytest.mark.parametrize(
    "quantity", [0, -1, 101, 2**63, 10**30, "1e2", "1_0", "１", " 1", "+1", "abc", 1.5, True, [], {}, None]
)
def test_invalid_numbers_are_refused(client, quantity):
    answer = client.post(ORDERS, {"name": "a", "quantity": quantity})
    assert "quantity" in errors(answer)


@pytest.mark.parametrize(
    "query", ["?status=active", "?password=x", "?is_active__gte=1", "?pk=1", "?_connector=OR", "?offset=1"]
)
def test_an_unknown_filter_is_an_error(client, query):
    answer = client.get("/api/test/people/" + query)
    details = errors(answer)
    (only,) = details.values()
    assert only["code"] == "unknown_field"
    assert "Allowed: cursor, is_active, language, limit." in only["detail"]


def test_a_repeated_filter_is_an_error(client):
    assert errors(client.get("/api/test/people/?language=en&language=ru"))["language"]["code"] == "repeated"


def test_an_invalid_filter_value_is_an_error(client):
    assert "language" in errors(client.get("/api/test/people/?language=xx"))


def test_a_known_filter_filters(client, alice, disabled):
    names = [row["username"] for row in client.get("/api/test/people/?is_active=true").json()["results"]]
    assert names == ["alice"]
