"""/metrics: requests, tasks, gateways, and one scrape for all workers of gunicorn."""

import re
from datetime import timedelta

import pytest
import requests as http
from django.conf import settings
from django.core.cache import cache
from django.test import RequestFactory
from prometheus_client.parser import text_string_to_metric_families

from billing_site import task_runs
from billing_site.metrics import gateways, multiprocess, page, requests, state
from core import clock
from core.models import LedgerCheck, TaskRun
from payments.gateways import guard
from payments.gateways.errors import GatewayError
from payments.webhooks import receive
from tests.flows.site import Site
from tests.payments.gateways.failing_gateway import behind_its_guard

Samples = dict[tuple[str, tuple[tuple[str, str], ...]], float]


def parsed(text: str) -> Samples:
    """Return the value of each sample by its name and labels. The official parser reads the text."""
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def scraped() -> Samples:
    return parsed(page.answer(RequestFactory().get("/metrics")).content.decode())


def value(samples: Samples, name: str, **labels: str) -> float:
    return samples.get((name, tuple(sorted(labels.items()))), 0.0)


class TestRequests:
    def test_a_request_is_counted_by_its_route_method_and_status(self, client, db):
        labels = {"method": "GET", "route": "api/payments/(?P<public_id>[A-Za-z0-9_-]+)/?$", "status": "401"}
        before = value(scraped(), "billing_request_seconds_count", **labels)
        client.get("/api/payments/pay_1/")
        client.get("/api/payments/pay_2/")
        assert value(scraped(), "billing_request_seconds_count", **labels) == before + 2

    def test_its_duration_is_in_the_buckets_of_that_time_and_above(self):
        request = RequestFactory().get("/")
        labels = {"method": "GET", "route": "(no route)", "status": "299"}
        requests.observe(request, 299, 0.3)
        after = scraped()
        counts = [value(after, "billing_request_seconds_bucket", le=le, **labels) for le in ("0.25", "0.5", "+Inf")]
        assert counts == [0, 1, 1]
        assert value(after, "billing_request_seconds_sum", **labels) == 0.3

    def test_a_method_that_nobody_knows_makes_no_series_of_its_own(self):
        for method in ("BREW", "WHEN"):
            requests.observe(RequestFactory().generic(method, "/"), 298, 0.1)
        after = scraped()
        assert value(after, "billing_request_seconds_count", method="other", route="(no route)", status="298") == 2
        assert not [labels for _, labels in after if ("method", "BREW") in labels]

    def test_probes_are_not_counted(self, client, db):
        before = {key: count for key, count in scraped().items() if key[0] == "billing_request_seconds_count"}
        client.get("/livez")
        client.get("/readyz")
        assert before == {key: count for key, count in scraped().items() if key[0] == "billing_request_seconds_count"}

    def test_webhooks_are_counted_by_gateway_and_answer(self, client, db):
        def count(gateway: str, status: str) -> float:
            return value(scraped(), "billing_webhooks_received_total", gateway=gateway, status=status)

        before = count("sandbox", "400")
        client.post("/webhooks/sandbox/", "{}", content_type="application/json")
        client.post("/webhooks/nobody/", "{}", content_type="application/json")
        assert count("sandbox", "400") == before + 1
        assert count("nobody", "404") == 0

    def test_nothing_that_a_caller_chooses_makes_a_series(self, client, db):
        """Each series costs memory that all workers share, for as long as the server runs."""
        from_outside = "x" * 3900
        before = set(scraped())
        for number in range(3):
            name = f"{from_outside}{number}"
            for method in (*sorted(requests.METHODS), "BREW", f"M{name}"):
                for path in ("webhooks/", "", "ru/", "xx/", "api/", "pay/", "api/payments/", "account/"):
                    headers = {"accept-language": f"q{name}", "host": f"h{number}.example", "x-request-id": name[-60:]}
                    client.generic(method, f"/{path}{name}/", headers=headers)
            large = b"{" * (receive.LARGEST_BODY + 1)
            answer = client.post(f"/webhooks/{name}/", large, content_type="application/json")
            assert answer.status_code == 413
            if number == 0:
                after = set(scraped())
        assert set(scraped()) == after, "the second name made a series"
        made = [label for _, labels in after - before for label in labels]
        assert {text for name, text in made if name == "gateway"} == {"(unknown)"}
        assert {text for name, text in made if name == "method"} <= requests.METHODS | {"other"}
        assert not [text for _, text in made if from_outside in text]


SILENCE = GatewayError("No answer.", permanent=False, code="timeout")
REFUSAL = GatewayError("No.", permanent=True, code="card_unknown")


class TestGateways:
    """The counts are in the cache, which is empty at the beginning of each test."""

    @pytest.fixture
    def outcomes(self):
        """Return a function that returns the calls of the failing gateway by outcome."""

        def read() -> dict[tuple[str, str], float]:
            found = {}
            for family in gateways.collect():
                for sample in family.samples if family.name == "billing_gateway_calls" else ():
                    assert sample.labels["gateway"] == "failing"
                    found[sample.labels["call"], sample.labels["outcome"]] = sample.value
            return found

        return read

    def test_each_call_is_counted_by_how_it_ended(self, outcomes):
        failing, gateway = behind_its_guard()
        gateway.fetch("x_1")
        for error in (SILENCE, REFUSAL):
            failing.error = error
            with pytest.raises(GatewayError):
                gateway.fetch("x_1")
        assert outcomes() == {("fetch", "ok"): 1, ("fetch", "no_answer"): 1, ("fetch", "refused"): 1}

    def test_a_call_that_was_not_made_is_counted_and_has_no_duration(self, outcomes):
        _failing, gateway = behind_its_guard()
        with guard.within(0.0), pytest.raises(GatewayError):
            gateway.fetch("x_1")
        cache.set("gateway-paused:failing", 1, timeout=30)
        with pytest.raises(GatewayError):
            gateway.fetch("x_1")
        assert outcomes() == {("fetch", "late"): 1, ("fetch", "paused"): 1}
        assert all(not family.samples for family in gateways.collect() if family.name.endswith("call_seconds"))

    def test_the_time_of_a_call_is_in_its_bucket(self):
        gateways.count(gateway="failing", call="fetch", outcome="ok", seconds=0.7)
        gateways.count(gateway="failing", call="fetch", outcome="ok", seconds=99.0)
        [family] = [family for family in gateways.collect() if family.name == "billing_gateway_call_seconds"]
        counts = {sample.labels.get("le", sample.name): sample.value for sample in family.samples}
        assert (counts["0.5"], counts["1.0"], counts["20.0"], counts["+Inf"]) == (0, 1, 1, 2)
        assert counts["billing_gateway_call_seconds_sum"] == 99.7

    def test_no_error_of_the_metrics_reaches_a_payment(self, monkeypatch, settings):
        settings.CACHES = {"default": settings.CACHES["default"] | {"LOCATION": "redis://127.0.0.1:1/1"}}
        _failing, gateway = behind_its_guard()
        gateway.fetch("x_1")


class TestState:
    @pytest.fixture
    def samples(self, db):
        """Return a function that returns what the database and the broker say."""

        def read() -> Samples:
            found = {}
            for family in state.collect():
                for sample in family.samples:
                    found[sample.name, tuple(sorted(sample.labels.items()))] = sample.value
            return found

        return read

    def test_a_task_is_described_by_its_last_run(self, samples):
        task = "subscriptions.tasks.bill_due"
        task_runs.record(task, seconds=2.0)
        task_runs.record(task, seconds=3.0, error=ValueError("no"))
        TaskRun.objects.update(succeeded_at=clock.now() - timedelta(minutes=5))
        found = samples()
        names = ("interval_seconds", "late", "last_seconds", "seconds_total", "runs_total", "failures_total")
        assert [value(found, f"billing_task_{name}", task=task) for name in names] == [60, 1, 3.0, 5.0, 2, 1]
        assert 300 <= value(found, "billing_task_success_age_seconds", task=task) < 400

    def test_the_last_ledger_check_is_described(self, samples):
        started = clock.now() - timedelta(hours=2)
        LedgerCheck.objects.create(started_at=started, seconds=1.5, checks=40, wrong=3)
        found = samples()
        assert [value(found, f"billing_check_ledger_{name}") for name in ("seconds", "wrong_rows", "failed")] == [
            1.5, 3, 0,
        ]  # fmt: skip
        assert 7200 <= value(found, "billing_check_ledger_age_seconds") < 7300

    def test_queues_have_their_length(self, samples, empty_queues):
        assert value(samples(), "billing_queue_length", queue="payments") == 0
        assert ("billing_queue_length", (("queue", "payments"),)) in samples()


@pytest.mark.django_db(transaction=True)
def test_one_scrape_has_the_requests_of_all_workers_of_gunicorn(child_environment, tmp_path):
    place = tmp_path / "counts"
    token = "a-token-of-many-characters"
    environment = child_environment | {"METRICS_TOKEN": token, multiprocess.VARIABLE: str(place)}
    site = Site(environment, tmp_path)
    site.environment["WEB_WORKERS"] = "2"
    try:
        site.start_web()
        # A connection of its own each time, so that both workers answer.
        for _ in range(40):
            http.get(f"{site.url}/api/no-such-thing", headers={"Connection": "close"}, timeout=10)
        answer = http.get(
            f"{site.url}/metrics", headers={"Authorization": "Bearer a-token-of-many-characters"}, timeout=10
        )
        files = list(place.glob("histogram_*.db"))
    finally:
        site.stop(*site.running)
    labels = {"method": "GET", "route": "^api(?:/.*)?$", "status": "404"}
    assert value(parsed(answer.text), "billing_request_seconds_count", **labels) == 40
    assert files
    assert not place.exists(), "the folder is removed when the server stops"


def test_each_metric_is_named_as_prometheus_wants_it(db):
    names = {name for name, _ in scraped()}
    assert names
    assert all(re.fullmatch(r"billing_[a-z_]+", name) for name in names)
    assert not settings.SENTRY_DSN
