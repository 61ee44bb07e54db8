"""The honest connector answers every shape; each wrong one shows its flaw, and shows it only where it is expected."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from tests.charts.asking import Post, at_once, find_fault_of, over_asgi, over_http
from tests.charts.connector import HonestConnector, SqlConnector
from tests.charts.flaws import FLAWS, OPERATOR_FLAWS, Flaw
from tests.charts.oracle import Verdict, judge
from tests.charts.parameters import in_campaign, named
from tests.charts.questions import CULTURES, Culture
from tests.charts.shapes import Shape, shapes
from tests.charts.tables import Table, shop

pytestmark = [pytest.mark.anyio, pytest.mark.campaign("charts")]

TABLE = shop()
CAPITALS = shop(capitals=True)


async def faults(post: Post, table: Table, asked: list[Shape]) -> Mapping[str, str]:
    """Faults by the titles of the shapes that show them."""
    found = {shape.title: await find_fault_of(post, table, shape.question, shape.dialect) for shape in asked}
    return {title: fault for title, fault in found.items() if fault}


@pytest.mark.campaign("every shape of a chart's request")
@pytest.mark.parametrize("culture", CULTURES)
@pytest.mark.parametrize("table", [TABLE, CAPITALS], ids=["codes in small letters", "codes that are names"])
@pytest.mark.parametrize("kind", [HonestConnector, SqlConnector])
async def test_an_honest_connector_answers_every_shape(
    kind: type[HonestConnector], table: Table, culture: Culture
) -> None:
    assert not await faults(at_once(kind(table, culture=culture)), table, shapes(table, [culture]))


@pytest.mark.parametrize("culture", ["ru", "de", "iso"])
async def test_only_slashed_dates_need_a_setting(culture: Culture) -> None:
    async with over_asgi(HonestConnector(TABLE)) as client:
        assert not await faults(over_http(client), TABLE, shapes(TABLE, [culture]))


@pytest.mark.parametrize("culture", ["en", "en-gb"])
async def test_a_slashed_date_is_never_guessed(culture: Culture) -> None:
    found = await faults(at_once(HonestConnector(TABLE)), TABLE, shapes(TABLE, [culture]))
    assert found
    assert all("can be read in two ways" in fault for fault in found.values())
    assert all("date" in title for title in found)


def test_each_condition_parts_the_rows() -> None:
    """A question that all rows satisfy, or none, could not tell a wrong connector from an honest one."""
    asked = shapes(TABLE, ["ru"])
    assert len({shape.title for shape in asked}) == len(asked)
    for shape in asked:
        verdicts = {judge(TABLE, shape.question, row) for row in TABLE.rows}
        conditions = shape.question.groups or shape.question.plain or shape.question.dates
        whole = not conditions or "empty 0 order_id" in shape.title
        assert whole or {Verdict.MUST, Verdict.NEVER} <= verdicts, shape.title


@pytest.mark.parametrize("flaw", [*map(named, FLAWS), *map(in_campaign, OPERATOR_FLAWS)])
async def test_a_flaw_shows_where_it_is_expected(flaw: Flaw) -> None:
    cultures: set[Culture] = {flaw.culture, "iso"} if flaw.code.startswith("date_") else {flaw.culture}
    found = await faults(at_once(flaw.build()), TABLE, shapes(TABLE, sorted(cultures)))
    assert found
    strange = [title for title in found if not any(words in title for words in flaw.shows + flaw.also)]
    assert not strange
    unseen = [words for words in flaw.shows if not any(words in title for title in found)]
    assert not unseen
