"""Every error under /api/ is answered with application/problem+json (RFC 9457)."""

import ast
import importlib
from pathlib import Path

import pytest
from django.conf import settings
from django.test import Client
from rest_framework.test import APIClient

from billing_site.error_codes import ERRORS
from billing_site.problems import problem_of
from core.errors import DomainError
from subscriptions.engine.refusals import Refusal

APPS = ("accounts", "ledger", "subscriptions", "payments")
MEMBERS = {"type", "title", "status", "detail", "code", "errors", "request_id"}


def check(answer, status: int, code: str):
    """Assert that the response is a complete problem with this status and code, and return its body."""
    assert answer.status_code == status, answer.content
    assert answer["Content-Type"] == "application/problem+json"
    body = answer.json()
    assert body.keys() >= MEMBERS
    assert (body["status"], body["code"]) == (status, code)
    assert body["type"] == f"/docs/errors/{code}"
    assert body["title"]
    assert body["detail"]
    assert body["request_id"]
    return body


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/api/nothing/here", 404, "not_found"),
        ("POST", "/api/nothing/here/", 404, "not_found"),
        ("GET", "/api", 404, "not_found"),
        ("GET", "/api/", 404, "not_found"),
        ("GET", "/api/v1/", 404, "not_found"),
        ("GET", "/api/../etc/passwd", 404, "not_found"),
        ("GET", "/api/%00", 404, "not_found"),
        ("GET", "/api/auth/token", 405, "method_not_allowed"),
        ("PUT", "/api/auth/register", 405, "method_not_allowed"),
        ("DELETE", "/api/v1/auth/me", 401, "not_authenticated"),
        ("GET", "/api/auth/me", 401, "not_authenticated"),
        ("GET", "/api/v1/auth/me", 401, "not_authenticated"),
    ],
)
def test_errors_of_routing_and_authentication_are_problems(db, client, method, path, status, code):
    check(client.generic(method, path), status, code)


def test_a_401_says_how_to_log_in(db, client):
    assert client.get("/api/auth/me")["WWW-Authenticate"] == 'Bearer realm="api"'
    wrong = client.post("/api/auth/token", {"username": "nobody", "password": "x"})
    assert wrong.status_code == 401
    assert wrong["WWW-Authenticate"] == 'Bearer realm="api"'


def test_a_405_lists_the_allowed_methods(db, client):
    answer = client.get("/api/auth/token")
    assert "POST" in answer["Allow"]
    assert "GET" in answer.json()["detail"]


def test_the_api_answers_in_json_only(db, client):
    check(client.get("/api/auth/me", HTTP_ACCEPT="application/xml"), 406, "not_acceptable")
    # `?format=` chooses nothing: it is a query parameter like any other.
    assert client.get("/api/auth/me?format=api").status_code == 401


@pytest.mark.parametrize("path", ["/api/auth/me", "/api/auth/me/", "/api/v1/auth/me", "/api/v1/auth/me/"])
def test_trailing_slash_and_version_prefix_make_no_difference(as_alice, path):
    assert as_alice.get(path).json()["username"] == "alice"
    assert as_alice.patch(path, {"first_name": "Al"}).json()["first_name"] == "Al"


@pytest.mark.parametrize(
    ("fault", "status", "code"),
    [
        ("domain", 402, "insufficient_funds"),
        ("unavailable", 503, "unavailable"),
        ("404", 404, "not_found"),
        ("403", 403, "permission_denied"),
        ("bug", 500, "internal_error"),
        ("integrity", 409, "conflict"),
        ("data", 400, "bad_request"),
        ("operational", 503, "unavailable"),
        ("overflow", 400, "bad_request"),
        ("statement-timeout", 503, "unavailable"),
        ("serialization", 503, "unavailable"),
        ("deadlock", 503, "unavailable"),
        ("lock-timeout", 503, "unavailable"),
    ],
)
def test_exceptions_of_a_view_become_problems(db, client, test_urls, fault, status, code):
    answer = client.get(f"/api/test/faults/{fault}")
    body = check(answer, status, code)
    if status == 503:
        assert int(answer["Retry-After"]) > 0
    for inner in ("secret", "10.0.0.5", "ZeroDivision", "SELECT", "Traceback"):
        assert inner not in str(body)


def test_a_domain_error_has_its_parameter_and_extra_members(db, client, test_urls):
    body = client.get("/api/test/faults/domain").json()
    message = "The wallet holds 3; 5 is needed."
    assert body["errors"] == [{"param": "quantity", "code": "insufficient_funds", "detail": message}]
    assert body["detail"] == message
    assert body["balance"] == 3


def test_extra_members_never_replace_standard_members():
    problem = problem_of(DomainError("No.", status=200, detail_of="x", code="fine"))
    assert problem is not None
    assert problem.body()["status"] == 409
    assert problem.body()["code"] == "refused"


def test_an_unlisted_code_is_409_and_not_500(db, client, test_urls):
    answer = client.get("/api/test/faults/code-without-a-row")
    assert answer.status_code == 409
    assert answer.json()["code"] == "never_heard_of"


def test_an_error_outside_the_api_is_an_html_page(db, settings):
    assert Client().get("/no/such/page/")["Content-Type"].startswith("text/html")


def test_each_code_has_a_documentation_page(db):
    for code in ERRORS:
        answer = Client().get(f"/docs/errors/{code}")
        assert answer.status_code == 200, code
        assert code in answer.content.decode()
    assert Client().get("/docs/errors/").status_code == 200
    assert Client().get("/docs/errors/no_such_code").status_code == 404


def test_every_code_in_the_source_is_listed():
    for app in APPS:
        for path in (settings.BASE_DIR / app).rglob("*.py"):
            if "migrations" not in path.parts:
                importlib.import_module(".".join(path.relative_to(settings.BASE_DIR).with_suffix("").parts))
    codes = {error.code: error.__qualname__ for error in _error_classes(DomainError)}
    codes |= {str(refusal): "Refusal" for refusal in Refusal}
    for app in APPS:
        for path in (settings.BASE_DIR / app).rglob("*.py"):
            codes |= dict.fromkeys(_literal_codes(path), str(path))
    assert not {code: where for code, where in codes.items() if code not in ERRORS}


def _error_classes(kind: type[DomainError]) -> set[type[DomainError]]:
    """Return the class and all its subclasses, except those of tests."""
    subclasses = set().union(*(_error_classes(each) for each in kind.__subclasses__()))
    return {each for each in subclasses | {kind} if each.__module__.partition(".")[0] in APPS}


def _literal_codes(path: Path) -> set[str]:
    """Return the codes written as literals: `raise Refused("out_of_range", ...)`."""
    calls = [node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call) and node.args]
    arguments = [call.args[0] for call in calls if ast.unparse(call.func).rpartition(".")[2] == "Refused"]
    return {str(first.value) for first in arguments if isinstance(first, ast.Constant)}


def test_api_answers_are_never_cached(db, client, as_alice):
    for answer in (as_alice.get("/api/auth/me"), client.get("/api/auth/me"), client.get("/api/nothing")):
        assert answer["Cache-Control"] == "no-store"


def test_an_unknown_host_is_refused_with_a_problem(db, client):
    answer = client.get("/api/auth/me", HTTP_HOST="evil.example")
    assert answer.status_code == 400
    assert answer["Content-Type"] == "application/problem+json"
    assert "evil" not in answer.content.decode()


def test_the_request_id_in_the_body_matches_the_header(db, client):
    answer = client.get("/api/nothing")
    assert answer.json()["request_id"] == answer["X-Request-Id"]


@pytest.mark.parametrize("sent", ["a" * 5000, 'a b"<script>', "ж"])
def test_a_malicious_request_id_is_harmless(db, client, sent):
    answer = client.get("/api/nothing", HTTP_X_REQUEST_ID=sent)
    assert answer.status_code == 404
    assert len(answer.json()["request_id"]) <= 200


def test_titles_are_in_the_requested_language(db):
    english = APIClient().get("/api/auth/me", HTTP_ACCEPT_LANGUAGE="en").json()
    assert english["title"] == "Log in first"
