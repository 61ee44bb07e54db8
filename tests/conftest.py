from __future__ import annotations

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--update-contract",
        action="store_true",
        help="rewrite the committed tool contracts and the README's tool table instead of comparing with them",
    )


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    return "asyncio"
