"""The rules that are shipped, as Prometheus's own tool judges them."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from .conftest import DEPLOY, TOOLS

CASES = Path(__file__).parent / "alerts_test.yml"

pytestmark = pytest.mark.prometheus


def promtool(*arguments: str) -> None:
    done = subprocess.run(
        [str(TOOLS / "promtool"), *arguments], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_configuration_and_the_rules_are_valid() -> None:
    promtool("check", "config", str(DEPLOY / "prometheus.yml"))


def test_each_alert_fires_when_it_should_and_not_before() -> None:
    promtool("test", "rules", str(CASES))


def test_no_alert_is_without_a_case() -> None:
    alerts = re.findall(r"- alert: (\w+)", (DEPLOY / "alerts.yml").read_text(encoding="utf-8"))
    tried = re.findall(r"alertname: (\w+)\n +exp_alerts", CASES.read_text(encoding="utf-8"))
    assert set(alerts) == set(tried)
