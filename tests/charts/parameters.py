"""Flaws as parameters of a test."""

from __future__ import annotations

import pytest
from _pytest.mark import ParameterSet

from tests.charts.flaws import Flaw


def named(flaw: Flaw) -> ParameterSet:
    return pytest.param(flaw, id=flaw.name)


def in_campaign(flaw: Flaw) -> ParameterSet:
    return pytest.param(flaw, id=flaw.name, marks=pytest.mark.campaign("wrong connectors"))
