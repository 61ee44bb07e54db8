"""`python -m benchmarks`: measures, prints, and fails where a goal is missed."""

from __future__ import annotations

import json
import os
import platform
import sys
from collections.abc import Callable
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

import anyio
import click
from rich.console import Console
from rich.table import Table

from benchmarks.adoption import measure_adoption
from benchmarks.call import measure_call
from benchmarks.check import measure_check
from benchmarks.command_start import measure_command_start
from benchmarks.connector import measures as connector
from benchmarks.diagnosis import diagnosis_cost
from benchmarks.fairness import measure_fairness
from benchmarks.growth import as_json, draw, measure_growth
from benchmarks.hosting import measure_hosting, measure_hosting_memory
from benchmarks.loop_time import loop_time
from benchmarks.outcome import Outcome
from benchmarks.shared_profile import measure_shared_profile
from benchmarks.sign_in_load import measure_sign_in_load, measure_sign_in_memory
from benchmarks.size import (
    measure_compact_size,
    measure_default_size,
    measure_read_only_size,
    measure_size,
)
from benchmarks.snapshot import snapshot_cost
from benchmarks.start import measure_start
from benchmarks.workspace import workspace_cost

BENCHMARKS: dict[str, Callable[[], Outcome]] = {
    "start": lambda: measure_start().outcome(),
    "start-command": measure_command_start,
    "size": lambda: anyio.run(measure_size).outcome(),
    "size-default": lambda: anyio.run(measure_default_size),
    "size-read-only": lambda: anyio.run(measure_read_only_size),
    "size-compact": lambda: anyio.run(measure_compact_size),
    "call": lambda: anyio.run(measure_call).outcome(),
    "hosting": lambda: anyio.run(measure_hosting).outcome(),
    "hosting-memory": lambda: anyio.run(measure_hosting_memory).outcome(),
    "sign-in-load": lambda: anyio.run(measure_sign_in_load).outcome(),
    "sign-in-memory": lambda: anyio.run(measure_sign_in_memory),
    "sign-in-memory-older": lambda: anyio.run(partial(measure_sign_in_memory, older=True)),
    "shared-profile": lambda: anyio.run(measure_shared_profile).outcome(),
    "snapshot-requests": lambda: snapshot_cost().requests_outcome(),
    "snapshot-time": lambda: snapshot_cost().time_outcome(),
    "apply-requests": lambda: workspace_cost().apply_outcome(),
    "plan-requests": lambda: workspace_cost().plan_outcome(),
    "plan-loop": lambda: loop_time().total_outcome(),
    "plan-loop-turn": lambda: loop_time().longest_outcome(),
    "adoption": lambda: measure_adoption().outcome(),
    "fair-median": lambda: measure_fairness().median_outcome(),
    "fair-worst": lambda: measure_fairness().worst_outcome(),
    "check-calls": lambda: anyio.run(measure_check),
    "diagnosis-calls": lambda: diagnosis_cost().calls_outcome(),
    "diagnosis-bound": lambda: diagnosis_cost().bound_outcome(),
    "diagnosis-time": lambda: diagnosis_cost().time_outcome(),
    "connector-speed": lambda: connector.measure_database("postgresql")["speed"],
    "connector-first-byte": lambda: connector.measure_database("postgresql")["first byte"],
    "connector-memory": lambda: connector.measure_database("postgresql")["memory"],
    "connector-memory-four": lambda: connector.measure_database("postgresql")["four"],
    "connector-chart": lambda: connector.measure_database("postgresql")["chart"],
    "connector-speed-mariadb": lambda: connector.measure_database("mariadb")["speed"],
    "connector-first-byte-mariadb": lambda: connector.measure_database("mariadb")["first byte"],
    "connector-memory-mariadb": lambda: connector.measure_database("mariadb")["memory"],
    "connector-memory-four-mariadb": lambda: connector.measure_database("mariadb")["four"],
    "connector-chart-mariadb": lambda: connector.measure_database("mariadb")["chart"],
    "connector-memory-wide": connector.measure_wide_memory,
    "connector-csv": lambda: connector.measure_csv()["cpu"],
    "connector-csv-memory": lambda: connector.measure_csv()["memory"],
}
# They take minutes: measured where they are asked for.
LONG = {"connector-memory-many": connector.measure_many_memory}


@click.command()
@click.option(
    "--only", type=click.Choice([*BENCHMARKS, *LONG]), multiple=True, help="Measure these. Default: all."
)
@click.option("--json", "json_file", type=click.Path(path_type=Path), help="Write the numbers to this file.")
@click.option(
    "--chart", type=click.Path(path_type=Path), help="Draw requests by number of datasets into this SVG."
)
@click.option("--report-only", is_flag=True, help="Exit with 0 even where a goal is missed.")
def main(only: tuple[str, ...], json_file: Path | None, chart: Path | None, report_only: bool) -> None:
    """Compare bi-mcp with its goals. Exits with 1 where one is missed."""
    console = Console()
    outcomes = [_measure(console, name) for name in only or BENCHMARKS]
    console.print(_summary(outcomes), *map(_details, outcomes), sep="\n")
    growth = [] if chart is None else measure_growth()
    if chart is not None:
        draw(growth, chart)
    if json_file is not None:
        document = _as_json(outcomes) | {"growth": as_json(growth)}
        json_file.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
    if not report_only and not all(outcome.met for outcome in outcomes):
        sys.exit(1)


def _measure(console: Console, name: str) -> Outcome:
    with console.status(f"measuring: {name}"):
        return (BENCHMARKS | LONG)[name]()


def _summary(outcomes: list[Outcome]) -> Table:
    table = Table("benchmark", title="bi-mcp against its goals")
    for heading in ("measured", "goal"):
        table.add_column(heading, justify="right")
    table.add_column("verdict")
    for outcome in outcomes:
        verdict = "[green]met" if outcome.met else "[red]missed"
        table.add_row(outcome.benchmark, _number(outcome.measured), f"≤ {_number(outcome.goal)}", verdict)
    return table


def _details(outcome: Outcome) -> Table:
    table = Table(outcome.benchmark)
    table.add_column("characters" if outcome.unit == "characters" else "", justify="right")
    for name, number in outcome.details.items():
        table.add_row(name, _number(number))
    return table


def _number(number: float) -> str:
    return f"{number:,}" if isinstance(number, int) else f"{number:.2f}"


def _as_json(outcomes: list[Outcome]) -> dict[str, Any]:
    return {
        "python": platform.python_version(),
        "mcp": version("mcp"),
        "processors": os.cpu_count(),
        "benchmarks": [outcome.as_json() for outcome in outcomes],
    }


if __name__ == "__main__":
    main()
