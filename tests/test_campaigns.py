"""`make test` leaves campaigns out and says so; the gate runs them."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.server.processes import LIMIT_S

ROOT = Path(__file__).parents[1]
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")
TESTS = """
import pytest

@pytest.mark.campaign("kills")
@pytest.mark.parametrize("step", range(3))
def test_killed(step):
    pass

@pytest.mark.campaign("fuzzing")
def test_fuzz():
    pass

def test_quick():
    pass
"""


def recipe(target: str) -> str:
    found = re.search(rf"^{target}:.*\n\t(.*)$", MAKEFILE, re.MULTILINE)
    assert found is not None
    return found[1]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    shutil.copy(ROOT / "tests/conftest.py", tmp_path)
    (tmp_path / "test_all.py").write_text(TESTS, encoding="utf-8")
    return tmp_path


def ran(folder: Path, *options: str) -> str:
    finished = subprocess.run(  # noqa: S603  this very Python
        [sys.executable, "-m", "pytest", *options],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        timeout=LIMIT_S,
    )
    assert finished.returncode == 0, finished.stdout
    return finished.stdout


@pytest.mark.parametrize(
    "workers", ["0", pytest.param("2", marks=pytest.mark.campaign("many processes or clients at once"))]
)
def test_what_is_left_out_is_told_by_campaign_and_count(folder: Path, workers: str) -> None:
    told = ran(folder, "-n", workers, "-m", "not campaign")
    assert "Left to `make test-all`: 4 tests. kills (3), fuzzing (1)." in told
    assert "1 passed" in told


def test_where_everything_runs_nothing_is_told(folder: Path) -> None:
    told = ran(folder)
    assert "test-all" not in told
    assert "5 passed" in told


def test_make_test_leaves_out_campaigns_and_the_gate_nothing() -> None:
    assert recipe("test").endswith('-m "not campaign"')
    assert " -m pytest" in recipe("test-all")
    assert not re.search(r" -m \"| -k |--ignore|--deselect", recipe("test-all"))
    gate = (ROOT / ".ci/run").read_text(encoding="utf-8")
    assert "make test-all\n" in gate
    assert "BI_MCP_LEAVE_NOTHING_OUT=1" in gate
