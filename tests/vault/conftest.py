from __future__ import annotations

from collections.abc import Iterator

import pytest

from bi_mcp.vault.keyring import Keeper
from tests.vault.keyrings import Keyring, system_keyring


@pytest.fixture
def keyring() -> Iterator[Keyring]:
    backend = Keyring()
    with system_keyring(backend):
        yield backend


@pytest.fixture(params=["file", "keyring"])
def keeper(request: pytest.FixtureRequest, keyring: Keyring) -> Keeper:
    keeper: Keeper = request.param
    return keeper
