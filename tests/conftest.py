from __future__ import annotations

import gc
import os
import shutil
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

from bi_mcp.base.language import speak
from bi_mcp.rest.retry import RetryPolicy

# How many tests of each campaign were left out. With pytest-xdist only the workers collect tests, so they tell the controller.
LEFT_OUT = pytest.StashKey[Counter[str]]()

# Commands speak the language of the system; the tests read English.
os.environ |= {"LC_ALL": "", "LC_MESSAGES": "", "LANG": "C.UTF-8"}

# httpx looks for it at each call of an app, through all folders of Python; only Trio would bring it.
sys.modules.setdefault("sniffio", None)  # type: ignore[arg-type]  # what Python itself writes for "not there"

# Collecting makes some million objects that stay: the collector need not look for garbage among them again and again.
gc.set_threshold(50_000, 20, 20)

# The same cases on every day and machine; `--hypothesis-profile=default` draws others.
settings.register_profile("same cases", derandomize=True, database=None)
settings.load_profile("same cases")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--update-contract",
        action="store_true",
        help="rewrite the committed tool contracts and the tool table of the reference instead of comparing with them",
    )


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line(
        "markers",
        "needs(program, called=program): runs where the program is present; the gate installs it first",
    )
    config.addinivalue_line(
        "markers",
        "campaign(name): one of many alike that take long together; `make test` leaves it to `make test-all`",
    )
    config.stash[LEFT_OUT] = Counter[str]()


def pytest_collection_finish() -> None:
    gc.freeze()


def pytest_deselected(items: Sequence[pytest.Item]) -> None:
    for item in items:
        if marker := item.get_closest_marker("campaign"):
            item.config.stash[LEFT_OUT][marker.args[0]] += 1


def pytest_sessionfinish(session: pytest.Session) -> None:
    output: dict[str, Any] | None = getattr(session.config, "workeroutput", None)
    if output is not None:
        left_out = session.config.stash[LEFT_OUT]
        output["left_out"] = dict(left_out)


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any, error: object) -> None:
    # Every worker collects the same tests; one that crashed tells nothing.
    told = getattr(node, "workeroutput", {}).get("left_out")
    if told is not None:
        node.config.stash[LEFT_OUT] = Counter[str](told)


def pytest_runtest_setup(item: pytest.Item) -> None:
    for marker in item.iter_markers("needs"):
        program = marker.args[0]
        require_program(program, marker.kwargs.get("called", program))


def find_program(name: str) -> str | None:
    """Find a program, also where distributions put servers: outside of the search path."""
    folders = ["/usr/sbin", "/usr/local/sbin", *map(str, Path("/usr/lib/postgresql").glob("*/bin"))]
    return shutil.which(name) or shutil.which(name, path=os.pathsep.join(folders))


def require_program(program: str, called: str) -> None:
    """Skip what needs a program that is not there; the gate leaves nothing out."""
    if find_program(program):
        return
    if os.environ.get("BI_MCP_LEAVE_NOTHING_OUT"):
        pytest.fail(f"{program} is not installed, and the gate leaves nothing out")
    pytest.skip(f"needs {called}")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    skipped = [str(report.longrepr) for report in terminalreporter.stats.get("skipped", [])]
    missing = sorted(
        {text.split("needs ", 1)[1].rstrip("')") for text in skipped if "Skipped: needs " in text}
    )
    if missing:
        terminalreporter.write_line(
            f"Left out for want of a program: {', '.join(missing)}. Install it to run everything."
        )


def pytest_unconfigure(config: pytest.Config) -> None:
    left_out = config.stash[LEFT_OUT]
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    if left_out and reporter is not None:
        counts = ", ".join(f"{name} ({count})" for name, count in left_out.most_common())
        reporter.write_line(f"Left to `make test-all`: {left_out.total()} tests. {counts}.")


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def without_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """Repeat calls that fail as often as always, without the seconds between."""
    monkeypatch.setattr("bi_mcp.rest.patience.RetryPolicy", partial(RetryPolicy, first_wait_s=0.001))


@pytest.fixture(autouse=True)
def in_english() -> Iterator[None]:
    """A command that is run within this process speaks its language from then on."""
    yield
    speak("en")
