"""The OpenAPI 3.1 document is valid without warnings, and the page that shows it loads nothing from other hosts."""

import re

import pytest
import yaml
from django.core.management import call_command
from django.test import Client


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
        assert {"400", "429", "503"} <= set(answers), (path, method)
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
