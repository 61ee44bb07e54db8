"""`python -m benchmarks.fuzz`: random input for everything that reads what others wrote, until time or count run out.

With atheris (`pip install atheris`) inputs are chosen by what code they reach; without it they are changed at random. The
corpus folder keeps inputs (NAME/), those that broke something (NAME.finds/), and how many were tried (runs.jsonl).
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
from dataclasses import asdict, dataclass
from hashlib import sha256
from importlib.util import find_spec
from itertools import count
from pathlib import Path
from random import Random

import click

from tests.security.harnesses import HARNESSES
from tests.security.mutation import mutations

MOST_FINDS = 5
GUIDED = "benchmarks.fuzz_guided"


@dataclass(frozen=True)
class Run:
    """How many inputs one harness was given, and whether all went well."""

    harness: str
    engine: str
    executions: int
    seconds: float
    clean: bool


@dataclass(frozen=True)
class Budget:
    """For one harness: whichever ends first."""

    seconds: int
    executions: int


@click.command()
@click.option("--harness", "names", type=click.Choice(list(HARNESSES)), multiple=True, help="Default: all.")
@click.option("--seconds", type=int, default=60, show_default=True, help="For each harness.")
@click.option("--executions", type=int, default=10**9, help="For each harness, at most.")
@click.option("--corpus", type=click.Path(path_type=Path), default=Path("build/fuzz"), show_default=True)
@click.option("--seed", type=int, default=None, help="Of the random inputs. Default: another one each time.")
def main(names: tuple[str, ...], seconds: int, executions: int, corpus: Path, seed: int | None) -> None:
    """Try random inputs. Exits with 1 where one raised what no error of bi-mcp is."""
    number = Random().randrange(2**31) if seed is None else seed  # noqa: S311 - no secret is made of it
    guided = find_spec("atheris") is not None
    fuzz = _guided if guided else _at_random
    runs = [
        _noted(corpus, fuzz(name, Budget(seconds, executions), corpus, number)) for name in names or HARNESSES
    ]
    print(f"{sum(run.executions for run in runs):,} executions")
    if not all(run.clean for run in runs):
        sys.exit(1)


def _at_random(name: str, budget: Budget, corpus: Path, seed: int) -> Run:
    harness, begun = HARNESSES[name], time.monotonic()
    seeds = [*harness.seeds, *(file.read_bytes() for file in sorted((corpus / name).glob("*")))]
    finds, done = 0, 0
    for done, data in zip(count(1), mutations(seeds, Random(seed))):  # noqa: S311 - both endless; no secret is made of it
        try:
            harness.run(data)
        except Exception as error:  # noqa: BLE001 - any exception is a find
            finds += 1
            _keep(corpus / f"{name}.finds", data, error)
        if finds >= MOST_FINDS or done >= budget.executions or time.monotonic() - begun >= budget.seconds:
            break
    return Run(name, "random", done, time.monotonic() - begun, not finds)


def _guided(name: str, budget: Budget, corpus: Path, seed: int) -> Run:
    kept, finds = corpus / name, corpus / f"{name}.finds"
    kept.mkdir(parents=True, exist_ok=True)
    finds.mkdir(parents=True, exist_ok=True)
    for number, data in enumerate(HARNESSES[name].seeds):
        (kept / f"seed-{number}").write_bytes(data)
    begun = time.monotonic()
    limits = [f"-runs={budget.executions}", f"-max_total_time={budget.seconds}", f"-seed={seed or 1}"]
    finished = subprocess.run(  # noqa: S603 - this module's own child
        [sys.executable, "-m", GUIDED, name, *limits, f"-artifact_prefix={finds}/", str(kept)],
        check=False,
        stderr=subprocess.PIPE,
        text=True,
        errors="replace",
    )
    if finished.returncode:
        print(finished.stderr[-4000:])
    tried = re.findall(r"^(?:#|Done )(\d+)", finished.stderr, re.MULTILINE)
    executions = int(tried[-1]) if tried else 0
    return Run(name, "atheris", executions, time.monotonic() - begun, finished.returncode == 0)


def _keep(folder: Path, data: bytes, error: Exception) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / f"{type(error).__name__}-{sha256(data).hexdigest()[:12]}"
    file.write_bytes(data)
    print(f"{file}: {error!r:.200}")


def _noted(corpus: Path, run: Run) -> Run:
    corpus.mkdir(parents=True, exist_ok=True)
    with (corpus / "runs.jsonl").open("a", encoding="utf-8") as file:
        file.write(f"{json.dumps(asdict(run))}\n")
    state = "clean" if run.clean else "FOUND SOMETHING"
    print(
        f"{run.harness:12} {run.engine:8} {run.executions:>12,} in {run.seconds:,.0f} s  {state}", flush=True
    )
    return run


if __name__ == "__main__":
    main()
