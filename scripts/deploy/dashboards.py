"""Check that Grafana's own library understands each word of the dashboards in a folder.

It keeps what it knows and drops the rest, so that a field which does not come back has a wrong name,
and one that comes back changed a wrong kind of value. Exits with 1 where there is any.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.cog.plugins import register_default_plugins
from grafana_foundation_sdk.cog.runtime import panelcfg_config
from grafana_foundation_sdk.models.dashboard import Dashboard


def faults(told: Any, understood: Any, place: str = "") -> Iterator[str]:
    """Yield each place at which what was told was not understood as it was meant."""
    if isinstance(told, dict) and isinstance(understood, dict):
        for name, value in told.items():
            if name in understood:
                yield from faults(value, understood[name], f"{place}.{name}")
            else:
                yield f"{place}.{name} is not known"
    elif isinstance(told, list) and isinstance(understood, list) and len(told) == len(understood):
        for number, (one, other) in enumerate(zip(told, understood, strict=True)):
            yield from faults(one, other, f"{place}[{number}]")
    elif told != understood:
        yield f"{place} is {json.dumps(told)}, understood as {json.dumps(understood)}"


def faults_of(file: Path) -> Iterator[str]:
    """Yield what is wrong with a dashboard."""
    told = json.loads(file.read_text(encoding="utf-8"))
    for panel in told["panels"]:
        if panelcfg_config(panel["type"]) is None:
            yield f"there are no panels of the type {panel['type']!r}"
    understood = json.dumps(Dashboard.from_json(told), cls=JSONEncoder)
    yield from faults(told, json.loads(understood))


def main() -> None:
    register_default_plugins()
    files = sorted(Path(sys.argv[1]).glob("*.json"))
    found = [f"{file.name}: {fault}" for file in files for fault in faults_of(file)]
    if not files:
        found.append(f"{sys.argv[1]} has no dashboards")
    sys.exit("\n".join(found) or None)


if __name__ == "__main__":
    main()
