"""The OpenAPI 3.1 document is valid without warnings, and the page that shows it loads nothing from other hosts."""

import re
import unicodedata

import pytest
import yaml
from django.core.management import call_command
from django.test import Client
from jsonschema import Draft202012Validator
from rest_framework.exceptions import ValidationError

from core.api import schema as schema_of_texts
from core.api.fields import StringField, TextField


def parsed(text: str | bytes) -> dict:
    """Parse the document with libyaml, which is ten times as fast as Python."""
    document: dict = yaml.load(text, Loader=yaml.CSafeLoader)
    return document


@pytest.fixture(scope="module")
def schema(tmp_path_factory) -> dict:
    """Generate the document with warnings as errors, and return it."""
    target = tmp_path_factory.mktemp("schema") / "schema.yml"
    call_command("spectacular", "--validate", "--fail-on-warn", "--file", str(target))
    return parsed(target.read_text())


def operations(schema: dict):
    """Return (path, method, operation) of every operation."""
    return [(path, method, each) for path, methods in schema["paths"].items() for method, each in methods.items()]


def test_the_document_is_openapi_3_1_with_bearer_tokens(schema):
    assert schema["openapi"] == "3.1.0"
    assert schema["components"]["securitySchemes"] == {
        "bearer": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}
    }


def test_each_path_is_listed_once(schema):
    assert not [
        path for path in schema["paths"] if path.startswith("/api/v1/") and path.replace("/v1/", "/") in schema["paths"]
    ]
    ids = [operation["operationId"] for _path, _method, operation in operations(schema)]
    assert len(set(ids)) == len(ids)


def test_every_operation_documents_its_errors(schema):
    for path, method, operation in operations(schema):
        answers = operation["responses"]
        assert {"400", "405", "406", "414", "429", "431", "503"} <= set(answers), (path, method)
        if any(operation.get("security", [])):
            assert "401" in answers, (path, method)
        if "requestBody" in operation:
            assert {"413", "415"} <= set(answers), (path, method)
            assert list(operation["requestBody"]["content"]) == ["application/json"], (path, method)
        problems = [
            answer["content"] for status, answer in answers.items() if status[0] in "45" and "content" in answer
        ]
        assert all(list(content) == ["application/problem+json"] for content in problems), (path, method)


def test_operations_that_move_money_take_an_idempotency_key(schema):
    keyed = {path for path, _method, operation in operations(schema)
             if any(each["name"] == "Idempotency-Key" for each in operation.get("parameters", []))}  # fmt: skip
    assert any("create-checkout-session" in path for path in keyed)
    assert not any("auth" in path for path in keyed)


def test_a_refund_needs_an_idempotency_key(schema):
    needed = {path for path, _method, operation in operations(schema) for each in operation.get("parameters", [])
              if each["name"] == "Idempotency-Key" and each.get("required")}  # fmt: skip
    assert needed == {"/api/payments/{public_id}/refunds/"}


def test_patch_and_delete_of_money_take_one_too(schema):
    keyed = {method for _path, method, operation in operations(schema)
             for each in operation.get("parameters", []) if each["name"] == "Idempotency-Key"}  # fmt: skip
    assert keyed == {"post", "patch", "delete"}


@pytest.mark.parametrize("name", ["limit", "cursor"])
def test_pages_have_one_limit_and_one_cursor(schema, name):
    found = [each["schema"] for _path, _method, operation in operations(schema)
             for each in operation.get("parameters", []) if each["name"] == name]  # fmt: skip
    assert len(found) > 5
    bounds = {"limit": {"type": "integer", "minimum": 1, "maximum": 100, "default": 20},
              "cursor": {"type": "string", "minLength": 1}}  # fmt: skip
    assert all(each == bounds[name] for each in found)


def test_every_operation_has_a_short_summary_and_every_id_is_a_text(schema):
    for path, method, operation in operations(schema):
        assert 0 < len(operation["summary"]) <= 120, (path, method)
        assert not operation["summary"].endswith("."), (path, method)
        for each in operation.get("parameters", []):
            if each["in"] == "path":
                assert each["schema"]["type"] == ("integer" if each["name"] == "user_id" else "string"), path
    ids = [part["properties"]["id"] for name, part in schema["components"]["schemas"].items()
           if name != "User" and "id" in part.get("properties", {})]  # fmt: skip
    assert ids
    assert all(each["type"] == "string" for each in ids)


def test_the_server_is_named(schema, settings):
    assert [server["url"] for server in schema["servers"]] == [settings.SITE_URL]


def test_an_amount_is_sent_as_a_text_or_a_number_and_always_answered_as_a_text(schema):
    sent = request(schema, "TopUpRequest")
    for value in ("1342.00", "5", 1342, 1342.5):
        sent.validate({"value": value, "currency": "RUB"})
    for wrong in ("1342,00", "-5", "1.2345", 0, -5, True, None):
        assert not sent.is_valid({"value": wrong, "currency": "RUB"}), wrong
    assert not sent.is_valid({"value": "5", "currency": "rub"})
    answered = schema["components"]["schemas"]["Wallet"]["properties"]
    assert {answered[name]["type"] for name in ("balance", "available", "debt")} == {"string"}


@pytest.mark.parametrize(
    ("name", "good", "bad"),
    [
        (
            "CheckoutRequest",
            [{"plan": "basic"}, {"subscription": "sub_1"}, {"plan": "basic", "duration": 2}],
            [{}, {"plan": "basic", "subscription": "sub_1"}, {"plan": "basic", "periods": 2, "duration": 2},
             {"subscription": "sub_1", "quantity": 2}, {"plan": "basic", "plna": "x"}],
        ),
        ("LogInRequest", [{"username": "a", "password": "b"}, {"email": "a", "password": "b"}],
         [{"password": "b"}, {"username": "a", "email": "a", "password": "b"}]),
        ("ChangePlanRequest", [{"plan": "basic", "when": "now"}, {"quote": "quo_1"}],
         [{}, {"when": "now"}, {"plan": "basic", "quote": "quo_1"}, {"quote": "quo_1", "when": "now"}]),
        ("ChangeQuantityRequest", [{"quantity": 2}, {"quote": "quo_1"}], [{}, {"quantity": 2, "quote": "quo_1"}]),
        ("PatchSubscriptionRequest", [{"auto_renew": True}, {"when": "now", "quantity": 2}], [{"when": "now"}]),
        ("CancelRequest", [{}, {"when": "now", "refund_unused": True}, {"when": "period_end", "refund_unused": False}],
         [{"refund_unused": True}, {"when": "period_end", "refund_unused": True}]),
        ("ProfileRequest", [{"email": "a@example.com", "current_password": "x"}, {"first_name": "Zoë"}],
         [{"email": "a@example.com"}, {"password": "x"}, {"first_name": "a\u0000"}, {"first_name": "a\u200b"}]),
        ("TopUpRequest", [{"value": "5", "currency": "RUB", "renewal_words": "I agree", "payment_id": "order_17"}],
         [{"value": "5", "currency": "RUB", "renewal_words": "I agree", "save_method": False},
          {"value": "5", "currency": "RUB", "payment_id": "my-order"},
          {"value": "5", "currency": "RUB", "client_reference_id": " "}]),
        ("SubscribeRequest", [{"plan": "basic"}], [{"plan": "basic", "periods": 1, "duration": 1}]),
    ],
)  # fmt: skip
def test_fields_of_which_one_is_sent(schema, name, good, bad):
    validator = request(schema, name)
    assert [body for body in good if not validator.is_valid(body)] == []
    assert [body for body in bad if validator.is_valid(body)] == []


def test_a_body_that_needs_a_field_is_required(schema):
    for path in ("/api/payments/create-checkout-session/", "/api/subscriptions/{public_id}/change-plan"):
        assert schema["paths"][path]["post"]["requestBody"]["required"] is True
    assert not schema["paths"]["/api/subscriptions/{public_id}/cancel"]["post"]["requestBody"].get("required")


def takes(field, text):
    try:
        field.run_validation(text)
    except ValidationError:
        return False
    return True


@pytest.mark.parametrize("more", [{}, {"allow_blank": True}, {"trim_whitespace": False}], ids=str)
@pytest.mark.parametrize("kind", [StringField, TextField])
def test_the_pattern_of_a_text_says_which_characters_its_field_takes(kind, more):
    field = kind(**more)
    pattern = re.compile(schema_of_texts.pattern(field))
    # Private and unassigned characters are too many for a pattern.
    characters = [each for each in map(chr, range(1, 0x10000)) if unicodedata.category(each) not in ("Cn", "Co", "Cs")]
    # At the ends of a text, spaces of all kinds are trimmed before they are looked at.
    assert [each for each in characters if pattern.fullmatch(each) and not takes(field, each)] == []
    between = [f"a{each}b" for each in characters]
    assert [each for each in between if bool(pattern.fullmatch(each)) != takes(field, each)] == []


def test_the_members_of_errors_are_declared(schema):
    """Those that DomainErrors add: keyword arguments of their calls that are neither `param` nor `retry_after`."""
    declared = set(schema["components"]["schemas"]["Problem"]["properties"])
    assert {"missing", "due", "plans", "quote", "state", "payment_id", "reason", "words", "refundable"} <= declared


def request(schema: dict, name: str) -> Draft202012Validator:
    """Return a validator of the bodies that one component describes."""
    component = schema["components"]["schemas"][name]
    return Draft202012Validator({**component, "components": schema["components"]})


def test_log_in_and_registration_need_no_token(schema):
    for path in ("/api/auth/register", "/api/auth/token", "/api/auth/token/refresh"):
        assert not any(schema["paths"][path]["post"].get("security", []))


def test_responses_never_contain_passwords(schema):
    for name, part in schema["components"]["schemas"].items():
        if not name.endswith("Request"):
            assert not set(part.get("properties", {})) & {"password", "current_password", "token_version"}, name


@pytest.mark.parametrize(
    "path", ["/api/schema/", "/api/v1/schema/", "/api/schema", "/api/schema/?lang=ru", "/api/schema/?lang=%00"]
)
def test_the_document_is_public(db, path):
    answer = Client().get(path)
    assert answer.status_code == 200
    assert parsed(answer.content)["openapi"] == "3.1.0"


@pytest.mark.browser
def test_the_docs_page_works_in_a_browser_without_other_hosts(chromium, live_server):
    errors, urls = [], []
    page = chromium.new_page()
    try:
        page.on(
            "console", lambda message: errors.append(message.text) if message.type in ("error", "warning") else None
        )
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on("request", lambda request: urls.append(request.url))
        page.goto(f"{live_server.url}/api/docs/")
        page.wait_for_selector(".opblock-summary", timeout=20_000)
        page.click("[id*='auth_register'] button")
        page.wait_for_selector(".opblock-body", timeout=10_000)
        assert "Problem" in page.content()
    finally:
        page.close()
    assert errors == []
    assert [url for url in urls if not re.match(re.escape(live_server.url) + "|data:", url)] == []


def test_only_the_docs_page_may_use_inline_code(db):
    docs = Client().get("/api/docs/")["Content-Security-Policy"]
    assert "'unsafe-inline'" in docs
    assert "unsafe-inline" not in re.search("script-src [^;]+", docs)[0]  # type: ignore[index]
    assert "'unsafe-inline'" not in Client().get("/docs/errors/")["Content-Security-Policy"]
