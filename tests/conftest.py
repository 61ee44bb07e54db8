from __future__ import annotations

import os
import shutil
from collections.abc import Iterator

import pytest

from bi_mcp.language import speak


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--update-contract",
        action="store_true",
        help="rewrite the committed tool contracts and the README's tool table instead of comparing with them",
    )


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line(
        "markers",
        "needs(program, called=program): runs where the program is present; the gate installs it first",
    )


def pytest_runtest_setup(item: pytest.Item) -> None:
    for marker in item.iter_markers("needs"):
        program = marker.args[0]
        if shutil.which(program):
            continue
        if os.environ.get("BI_MCP_LEAVE_NOTHING_OUT"):
            pytest.fail(f"{program} is not installed, and the gate leaves nothing out")
        pytest.skip(f"needs {marker.kwargs.get('called', program)}")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    skipped = [str(report.longrepr) for report in terminalreporter.stats.get("skipped", [])]
    missing = sorted(
        {text.split("needs ", 1)[1].rstrip("')") for text in skipped if "Skipped: needs " in text}
    )
    if missing:
        terminalreporter.write_line(
            f"Left out for want of a program: {', '.join(missing)}. Install it to run everything."
        )


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(autouse=True)
def in_english() -> Iterator[None]:
    """A command that is run within this process speaks its language from then on."""
    yield
    speak("en")
