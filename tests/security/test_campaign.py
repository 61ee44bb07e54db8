"""The campaign of attacks in numbers, as SECURITY.md tells them: counted from the tables that the tests run over."""

from __future__ import annotations

from pathlib import Path

import pytest

from bi_mcp.base.logs import LOG_LEVELS
from tests.auth import test_killed as logins
from tests.base.test_whole_file import KILLS
from tests.security.addresses import BROKEN, PRIVATE, PUBLIC
from tests.security.echoes import CODINGS, PAST_ALL_MASKS
from tests.security.parrot import OF_CONNECTORS, OF_PORTALS
from tests.security.test_full_disks import CASES
from tests.server.http.sign_in.test_attacks import FOREIGN, INWARD
from tests.server.http.sign_in.test_redirects import FORBIDDEN
from tests.setup.test_killed import KILLS_OF_AN_APPLICATION, KILLS_OF_AN_UNDO

TOLD = (Path(__file__).parents[2] / "SECURITY.md").read_text(encoding="utf-8")
# Of a renewal, with and without its answer, of a second login and of a first one.
KILLS_OF_LOGINS = sum(
    len(steps)
    for steps in (
        logins.BEFORE_THE_REQUEST,
        logins.TOKEN_IS_WRITTEN,
        logins.NOBODY_CAN_HELP,
        logins.LOGIN,
        logins.FIRST_LOGIN,
    )
)
# Before and after each request, on portals of both generations.
KILLS_OF_APPLICATIONS = 4 * KILLS_OF_AN_APPLICATION

FIGURES = {
    "codings": f"{len(CODINGS)} codings",
    "places": f"{len(OF_CONNECTORS)} places of a connector's answer and {len(OF_PORTALS)} of a portal's",
    "echoes": f"{len(CODINGS) * (len(OF_CONNECTORS) + len(OF_PORTALS))} echoes",
    "levels": f"the {len(LOG_LEVELS)} levels of the log",
    "past masks": f"{len(PAST_ALL_MASKS)} codings that masks do not know",
    "addresses": f"{len(PRIVATE) + len(BROKEN) + len(PUBLIC)} spellings of addresses",
    "refused": f"{len(PRIVATE)} lead inside and {len(BROKEN)} are broken or could be read in two ways: all are refused, and {len(PUBLIC)} public ones are called",
    "redirects": f"More than {(len({*FOREIGN, *FORBIDDEN}) - 1) // 10 * 10} spellings of redirect addresses",
    "documents": f"{len(INWARD)} addresses of client documents",
    "kills": f"at least {KILLS_OF_LOGINS + KILLS_OF_APPLICATIONS + KILLS_OF_AN_UNDO + sum(KILLS.values())} kills",
    "disks": f"{len(CASES)} kinds of files",
}


@pytest.mark.parametrize("figure", FIGURES)
def test_security_tells_the_figures_of_what_runs(figure: str) -> None:
    assert FIGURES[figure] in TOLD


def test_there_are_as_many_places_and_codings_as_the_campaign_promises() -> None:
    assert (len(CODINGS), len(OF_CONNECTORS), len(OF_PORTALS)) == (26, 10, 10)
    assert len(set(PRIVATE) | set(BROKEN) | set(PUBLIC)) == len(PRIVATE) + len(BROKEN) + len(PUBLIC) >= 146
    assert sum(KILLS.values()) >= 58
