from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.conftest import require_program
from tests.connector.databases.serving import DatabaseServer, serving


@pytest.fixture(scope="session")
def postgresql() -> Iterator[DatabaseServer]:
    """One server for all tests of a worker; each makes its own database in it, and starts it again if it kills it."""
    require_program("postgres", "PostgreSQL")
    with serving("postgres") as server:
        yield server


@pytest.fixture(scope="session")
def mariadb() -> Iterator[DatabaseServer]:
    """As `postgresql`."""
    require_program("mariadbd", "MariaDB")
    with serving("mariadbd") as server:
        yield server
