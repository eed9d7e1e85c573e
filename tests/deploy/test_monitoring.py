"""Alerts and the dashboard use metrics that a running bot exports, and every alert is documented."""

import asyncio
import json
import re
import shutil
import subprocess
from contextlib import suppress
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import yaml

from bot.observability import metrics
from tests.ports import free_port
from tests.program import ROOT, environment, running

DEPLOY = ROOT / "deploy"
RULES = DEPLOY / "prometheus" / "alerts.yml"
DASHBOARD = DEPLOY / "grafana" / "paperboy.json"
NAME = re.compile(r"\b(?:paperboy|process)_\w+|\bup\b")
PROMETHEUS_ITSELF = {"up", "instance", "job", "le"}


def alerts() -> list[dict[str, Any]]:
    return [rule for group in yaml.safe_load(RULES.read_text())["groups"] for rule in group["rules"]]


def panels() -> list[dict[str, Any]]:
    return [panel for panel in json.loads(DASHBOARD.read_text())["panels"] if panel["type"] != "row"]


def expressions() -> list[str]:
    expressions = [target["expr"] for panel in panels() for target in panel["targets"]]
    return expressions + [rule["expr"] for rule in alerts()]


async def scrape(folder: Path) -> str:
    """Return /metrics of a bot that has just been started."""
    port = free_port()
    async with running("run", env=environment(folder, PORT=str(port))), aiohttp.ClientSession() as session:
        while True:
            with suppress(aiohttp.ClientError):
                async with session.get(f"http://127.0.0.1:{port}/metrics") as response:
                    if "paperboy_source_failures{" in (text := await response.text()):
                        return text
            await asyncio.sleep(0.1)


async def test_every_used_metric_is_in_a_scrape(tmp_path: Path) -> None:
    types = dict(re.findall(r"^# TYPE (\w+) (\w+)$", await scrape(tmp_path), re.MULTILINE))
    known = {
        f"{name}{suffix}"
        for name, kind in types.items()
        for suffix in (("_bucket", "_count", "_sum") if kind == "histogram" else ("",))
    }
    used = {name for expression in expressions() for name in NAME.findall(expression)}
    assert used - known - {"up"} == set()
    ours = {name for name in types if name.startswith("paperboy_")} - {"paperboy_build_info"}
    shown = {re.sub(r"_(bucket|count|sum)$", "", name) for name in used}
    assert ours - shown == set(), "no panel shows these"


def test_used_labels_exist() -> None:
    collectors = [metric for metric in vars(metrics).values() if hasattr(metric, "_labelnames")]
    labels = {label for collector in collectors for label in collector._labelnames} | PROMETHEUS_ITSELF
    labels |= {"kind"}
    for expression in expressions():
        for group in re.findall(r"by \(([^)]*)\)", expression):
            assert {label.strip() for label in group.split(",")} <= labels, expression
        assert set(re.findall(r"(\w+)(?:=|!=|=~)\"", expression)) <= labels, expression


def test_every_alert_has_a_summary_and_is_documented() -> None:
    explained = (ROOT / "docs" / "operators.md").read_text()
    for rule in alerts():
        assert rule["labels"]["severity"] in {"critical", "warning"}
        assert rule["annotations"]["summary"]
        assert f"### {rule['alert']}\n" in explained, f"{rule['alert']} has no section in docs/operators.md"


def test_every_documented_alert_exists() -> None:
    named = set(
        re.findall(r"^### (Paperboy\w+)$", (ROOT / "docs" / "operators.md").read_text(), re.MULTILINE)
    )
    assert named == {rule["alert"] for rule in alerts()}


def test_the_dashboards_panels_do_not_overlap() -> None:
    occupied: dict[tuple[int, int], str] = {}
    assert len({panel["id"] for panel in panels()}) == len(panels())
    for panel in panels():
        at = panel["gridPos"]
        assert at["x"] + at["w"] <= 24
        for cell in (
            (x, y) for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])
        ):
            assert occupied.setdefault(cell, panel["title"]) == panel["title"]


@pytest.mark.skipif(shutil.which("promtool") is None, reason="no promtool here")
def test_prometheus_accepts_the_rules() -> None:
    checked = subprocess.run(
        ["promtool", "check", "rules", str(RULES)], capture_output=True, text=True, check=False
    )
    assert checked.returncode == 0, checked.stdout + checked.stderr
    tests = RULES.with_name("alerts_test.yml")
    tried = subprocess.run(["promtool", "test", "rules", tests], capture_output=True, text=True, check=False)
    assert tried.returncode == 0, tried.stdout + tried.stderr
