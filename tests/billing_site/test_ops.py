"""docs/ops: the alerts and the board are valid, and metrics.md, the alerts and the board name metrics that exist."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import promql_parser
import pytest
import yaml
from django.conf import settings
from django.test import RequestFactory
from jsonschema import validate
from prometheus_client.parser import text_string_to_metric_families

from billing_site import status, task_runs
from billing_site.metrics import gateways, page, requests
from core import clock
from core.models import Heartbeat, LedgerCheck

OPS = Path(settings.BASE_DIR) / "docs/ops"
RULES = [rule for group in yaml.safe_load((OPS / "alerts.yml").read_text())["groups"] for rule in group["rules"]]
BOARD = json.loads((OPS / "board.json").read_text())
NAME = re.compile(r"\bbilling_[a-z_]+")
# What Prometheus knows by itself.
BUILT_IN = {"up"}


@pytest.fixture
def metrics(db) -> set[str]:
    """Return the names of all metrics, when there is something to tell for each."""
    task_runs.record("subscriptions.tasks.bill_due", seconds=1.0)
    Heartbeat.objects.create(name="beat", at=clock.now())
    LedgerCheck.objects.create(started_at=clock.now(), seconds=1, checks=1, wrong=0)
    gateways.count(gateway="stripe", call="fetch", outcome="ok", seconds=1.0)
    requests.observe(RequestFactory().get("/"), 200, 0.1)
    requests.WEBHOOKS.labels("stripe", "200").inc()
    text = page.answer(RequestFactory().get("/metrics")).content.decode()
    return {sample.name for family in text_string_to_metric_families(text) for sample in family.samples}


def selected(node: Any) -> Iterator[str]:
    """Yield the names of the metrics in a parsed expression."""
    if isinstance(node, promql_parser.VectorSelector):
        yield str(node.name)
    for part in ("expr", "lhs", "rhs", "vector_selector", "param", "vs"):
        if (inner := getattr(node, part, None)) is not None and not isinstance(inner, str):
            yield from selected(inner)
    for each in getattr(node, "args", None) or []:
        yield from selected(each)


def names_in(expression: str) -> set[str]:
    """Parse an expression of PromQL, and return the names of its metrics. Raises ValueError for a malformed one."""
    parsed = promql_parser.parse(expression.replace("$__rate_interval", "5m"))
    found = set(selected(parsed)) - BUILT_IN
    assert found == set(NAME.findall(re.sub(r"\{[^}]*\}", "", expression)))
    return found


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule["alert"])
class TestAlert:
    def test_its_expression_is_valid_and_about_metrics_that_exist(self, rule, metrics):
        found = names_in(rule["expr"])
        assert found
        assert found <= metrics

    def test_it_says_how_bad_it_is_what_it_means_and_where_to_read_on(self, rule):
        assert set(rule) <= {"alert", "expr", "for", "labels", "annotations"}
        assert rule["labels"]["severity"] in ("critical", "warning")
        assert re.fullmatch(r"\d+[smh]", rule.get("for", "1m"))
        assert rule["annotations"]["summary"].endswith((".", "?"))
        path, anchor = rule["annotations"]["runbook"].split("#")
        headings = re.findall(r"^#+ (.+)$", (Path(settings.BASE_DIR) / path).read_text(), re.MULTILINE)
        anchors = {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}
        assert anchor in anchors


def test_each_alert_has_its_own_name():
    names = [rule["alert"] for rule in RULES]
    assert len(set(names)) == len(names)


# The parts of Grafana's format for dashboards (schemaVersion 38) that an import needs.
SOURCE = {"type": "object", "required": ["type", "uid"]}
PANEL = {
    "type": "object",
    "required": ["id", "type", "title", "datasource", "gridPos", "fieldConfig", "options", "targets"],
    "properties": {
        "id": {"type": "integer", "minimum": 1},
        "type": {"enum": ["stat", "timeseries"]},
        "title": {"type": "string", "minLength": 1},
        "datasource": SOURCE,
        "gridPos": {
            "type": "object",
            "required": ["x", "y", "w", "h"],
            "additionalProperties": {"type": "integer", "minimum": 0, "maximum": 200},
        },
        "fieldConfig": {"type": "object", "required": ["defaults", "overrides"]},
        "targets": {
            "type": "array",
            "minItems": 1,
            "items": {
                "type": "object",
                "required": ["refId", "expr", "datasource"],
                "properties": {"refId": {"pattern": "^[A-Z]$"}, "expr": {"type": "string"}, "datasource": SOURCE},
            },
        },
    },
}
DASHBOARD = {
    "type": "object",
    "required": ["id", "uid", "title", "schemaVersion", "panels", "time", "templating", "annotations", "__inputs"],
    "properties": {
        # An import makes a new one.
        "id": {"type": "null"},
        "uid": {"type": "string", "maxLength": 40, "pattern": "^[a-zA-Z0-9_-]+$"},
        "schemaVersion": {"type": "integer", "minimum": 36},
        "panels": {"type": "array", "minItems": 1, "items": PANEL},
        "__inputs": {
            "type": "array",
            "items": {"type": "object", "required": ["name", "label", "type", "pluginId"]},
        },
    },
}


def test_the_board_can_be_imported():
    validate(BOARD, DASHBOARD)
    inputs = {f"${{{each['name']}}}" for each in BOARD["__inputs"]}
    used = {panel["datasource"]["uid"] for panel in BOARD["panels"]}
    used |= {target["datasource"]["uid"] for panel in BOARD["panels"] for target in panel["targets"]}
    assert used == inputs
    ids = [panel["id"] for panel in BOARD["panels"]]
    assert len(set(ids)) == len(ids)


def test_no_panel_covers_another_one():
    taken: dict[tuple[int, int], str] = {}
    for panel in BOARD["panels"]:
        place = panel["gridPos"]
        assert place["x"] + place["w"] <= 24
        for x in range(place["x"], place["x"] + place["w"]):
            for y in range(place["y"], place["y"] + place["h"]):
                assert taken.setdefault((x, y), panel["title"]) == panel["title"]


@pytest.mark.parametrize("panel", BOARD["panels"], ids=lambda panel: panel["title"])
def test_each_panel_is_about_metrics_that_exist(panel, metrics):
    for target in panel["targets"]:
        found = names_in(target["expr"])
        assert found
        assert found <= metrics


def test_a_malformed_expression_is_found():
    with pytest.raises(ValueError, match="unclosed left parenthesis"):
        names_in("max(billing_books_due")


def test_metrics_md_describes_each_metric_and_no_other(metrics):
    table = [line.split("|")[1] for line in (OPS / "metrics.md").read_text().splitlines() if line.startswith("| `")]
    documented = {name for cell in table for name in NAME.findall(cell)}
    families = {re.sub(r"_(bucket|sum|count)$", "", name) for name in metrics if not name.endswith("_created")}
    assert documented == families


def test_every_kind_of_parked_row_and_every_sweep_has_rows_to_count(db):
    assert set(status.parked()) == set(status.PARKED)
    assert set(status.waiting(now=clock.now())) == set(status.WAITING)
