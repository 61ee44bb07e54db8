from __future__ import annotations

import pytest

from tests.auth.portal import Clock, LoginPortal


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def portal(clock: Clock) -> LoginPortal:
    return LoginPortal(clock)
