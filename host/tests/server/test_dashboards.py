"""The dashboard and the alerts of docs/ ask for what a running server shows, in valid PromQL."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families
from ruamel.yaml import YAML

DOCS = Path(__file__).resolve().parents[3] / "docs"
ALERTS = DOCS / "alerts.yml"
PROMTOOL = shutil.which("promtool")

WORDS = frozenset(
    {
        *("absent", "count", "histogram_quantile", "increase", "max", "rate", "sum"),
        *("and", "by", "on"),
    }
)
"""What an expression may say beside metrics and labels."""

RULES_TEST = """
rule_files: [{rules}]
evaluation_interval: 1m
tests:
  - interval: 1m
    input_series:
      - series: cogworks_build_info{{job="m", instance="a"}}
        values: 1x60
      - series: cogworks_ready{{job="m", instance="a"}}
        values: 0x60
      - series: cogworks_worker_restarts_total{{job="m", instance="a"}}
        values: 0x20 1x40
      - series: cogworks_predictions_total{{job="m", instance="a", status="failed"}}
        values: 0+1x60
      - series: cogworks_predictions_total{{job="m", instance="a", status="succeeded"}}
        values: 0+3x60
      - series: process_open_fds{{job="m", instance="a"}}
        values: 95x60
      - series: process_max_fds{{job="m", instance="a"}}
        values: 100x60
      - series: process_resident_memory_bytes{{job="other", instance="b"}}
        values: 9e9x60
    alert_rule_test:
      - {{eval_time: 30m, alertname: CogworksGone, exp_alerts: []}}
      - {{eval_time: 30m, alertname: CogworksServerMemory, exp_alerts: []}}
      - eval_time: 30m
        alertname: CogworksNotReady
        exp_alerts:
          - exp_labels: {{severity: critical, job: m, instance: a}}
            exp_annotations:
              summary: a takes no predictions.
              action: GET /readyz says why. Let `for` be longer than the model's setup takes.
      - eval_time: 30m
        alertname: CogworksWorkerDied
        exp_alerts:
          - exp_labels: {{severity: warning, job: m, instance: a}}
            exp_annotations:
              summary: A worker died on a; its predictions failed.
              action: The log says how; signal 9 is usually too little memory.
      - eval_time: 30m
        alertname: CogworksPredictionsFail
        exp_alerts:
          - exp_labels: {{severity: warning, job: m}}
            exp_annotations:
              summary: 25% of the predictions of m fail.
              action: "Search the log for \\"prediction failed\\": each line has the reason."
      - eval_time: 30m
        alertname: CogworksDescriptors
        exp_alerts:
          - exp_labels: {{severity: warning, job: m, instance: a}}
            exp_annotations:
              summary: a has used 95% of its descriptors.
              action: Raise the limit (ulimit -n) if there are that many clients.
"""


def dashboard() -> dict[str, Any]:
    data: dict[str, Any] = json.loads((DOCS / "grafana-dashboard.json").read_text())
    return data


def panels() -> list[dict[str, Any]]:
    return [panel for panel in dashboard()["panels"] if panel["type"] != "row"]


def rules() -> list[dict[str, Any]]:
    data: Any = YAML(typ="safe").load(ALERTS.read_text())  # pyright: ignore[reportUnknownMemberType]
    return [rule for group in data["groups"] for rule in group["rules"]]


def expressions() -> Iterator[tuple[str, str]]:
    """Yield every expression, with where it stands; Grafana's variables are filled in."""
    for panel in panels():
        for target in panel["targets"]:
            text = target["expr"].replace("$__rate_interval", "5m")
            yield panel["title"], re.sub(r"\$\w+", ".*", text)
    for rule in rules():
        yield rule["alert"], rule["expr"]


def names_in(expression: str) -> set[str]:
    """Return the metrics that an expression asks for."""
    rest = re.sub(r'"[^"]*"', "", expression)
    rest = re.sub(r"\{[^}]*\}|\[[^\]]*\]", " ", rest)
    rest = re.sub(r"\b(by|on)\s*\([^)]*\)", " ", rest)
    return set(re.findall(r"(?<![\w.])[a-z_:]\w*", rest)) - WORDS


def labels_in(expression: str) -> set[tuple[str, str]]:
    """Return the metrics with the labels that are asked of them."""
    return {
        (name, label)
        for name, inside in re.findall(r"(\w+)\{([^}]*)\}", expression)
        for label in re.findall(r"(\w+)\s*(?:=~|=|!=|!~)", inside)
    }


@pytest.mark.slow
def test_every_metric_and_label_that_is_asked_for_is_shown_by_a_server(launch_server: Any) -> None:
    server = launch_server("echo")
    server.predict(text="x")
    shown: dict[str, set[str]] = {}
    for family in text_string_to_metric_families(server.client.get("/metrics").text):
        for sample in family.samples:
            shown.setdefault(sample.name, set()).update(sample.labels)
    missing = [
        f"{where}: {name}" for where, text in expressions() for name in names_in(text) - set(shown)
    ]
    unknown = [
        f"{where}: {name}{{{label}}}"
        for where, text in expressions()
        for name, label in labels_in(text)
        if label not in shown[name] | {"job", "instance"}
    ]
    assert (missing, unknown) == ([], [])


def test_brackets_of_every_expression_are_closed() -> None:
    for where, text in expressions():
        rest = re.sub(r'"[^"]*"', "", text)
        while (
            shorter := re.sub(r"\([^()[\]{}]*\)|\[[^()[\]{}]*\]|\{[^()[\]{}]*\}", "", rest)
        ) != rest:
            rest = shorter
        assert not set(rest) & set("()[]{}"), where


def test_an_unknown_metric_would_be_seen() -> None:
    text = 'sum by (job, le) (rate(cogworks_x_total{status="failed", job=~".*"}[5m])) > 0.05'
    assert names_in(text) == {"cogworks_x_total"}
    assert labels_in(text) == {("cogworks_x_total", "status"), ("cogworks_x_total", "job")}


@pytest.mark.slow
@pytest.mark.skipif(PROMTOOL is None, reason="promtool is not installed")
def test_prometheus_itself_takes_every_expression(tmp_path: Path) -> None:
    recorded = [
        {"record": f"x:{number}", "expr": text} for number, (_, text) in enumerate(expressions())
    ]
    file = tmp_path / "rules.yml"
    # JSON is YAML too.
    file.write_text(json.dumps({"groups": [{"name": "all", "rules": recorded}]}))
    assert "SUCCESS" in promtool("check", "rules", str(file))
    assert "SUCCESS" in promtool("check", "rules", str(ALERTS))


@pytest.mark.slow
@pytest.mark.skipif(PROMTOOL is None, reason="promtool is not installed")
def test_alerts_fire_on_what_they_are_for(tmp_path: Path) -> None:
    file = tmp_path / "test.yml"
    file.write_text(RULES_TEST.format(rules=ALERTS))
    assert "SUCCESS" in promtool("test", "rules", str(file))


@pytest.mark.slow
@pytest.mark.skipif(PROMTOOL is None, reason="promtool is not installed")
def test_prometheus_itself_finds_nothing_wrong_with_the_metrics(launch_server: Any) -> None:
    text = launch_server("echo").client.get("/metrics").text
    assert promtool("check", "metrics", stdin=text) == ""


def promtool(*arguments: str, stdin: str | None = None) -> str:
    assert PROMTOOL is not None
    done = subprocess.run(
        [PROMTOOL, *arguments], capture_output=True, text=True, input=stdin, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def test_every_alert_says_what_it_means_and_what_to_do() -> None:
    names = [rule["alert"] for rule in rules()]
    assert len(names) == len(set(names))
    for rule in rules():
        assert set(rule["annotations"]) == {"summary", "action"}, rule["alert"]
        assert rule["labels"]["severity"] in ("critical", "warning", "info")


def test_panels_have_titles_units_and_places_of_their_own() -> None:
    taken: set[tuple[int, int]] = set()
    for panel in panels():
        assert panel["title"]
        assert panel["description"].endswith(".")
        assert panel["fieldConfig"]["defaults"]["unit"]
        assert panel["datasource"] == {"type": "prometheus", "uid": "${datasource}"}
        place = panel["gridPos"]
        cells = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert not cells & taken, panel["title"]
        assert place["x"] + place["w"] <= 24
        taken |= cells
    assert len({panel["id"] for panel in dashboard()["panels"]}) == len(dashboard()["panels"])


@pytest.mark.slow
def test_the_page_names_the_same_metrics_as_a_server(launch_server: Any) -> None:
    page = (DOCS / "operations.md").read_text()
    named = set(re.findall(r"`(cogworks_\w+|process_\w+)", page))
    families = text_string_to_metric_families(launch_server("echo").client.get("/metrics").text)
    shown = {family.name + ("_total" if family.type == "counter" else "") for family in families}
    ours = {name for name in shown if name.startswith("cogworks_")}
    assert named <= shown
    assert ours <= named
