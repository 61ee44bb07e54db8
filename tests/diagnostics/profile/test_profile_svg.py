"""The SVG of a profile: it stands alone, says in words what it shows, and values stay texts."""

from __future__ import annotations

import re
from xml.etree import ElementTree as ET

from bi_mcp.base.language import speaking
from bi_mcp.diagnostics.profile.profile_svg import TABLE_COLUMNS, render_svg
from tests.diagnostics.profile.test_profile import DAYS, profiled

HOSTILE = "</title><script>alert(1)</script>&\u202e\nend"


def texts_of(svg: str) -> list[str]:
    return ["".join(element.itertext()) for element in ET.fromstring(svg).iter() if element.text]  # noqa: S314  our own


def test_the_svg_shows_a_chart_each_column_and_the_first_rows() -> None:
    svg = render_svg(
        profiled(
            ("DAY", "date", DAYS),
            ("DELAY", "double", list(range(10))),
            ("CARRIER", "string", ["UA"] * 9 + ["AA"]),
        )
    )
    texts = texts_of(svg)
    assert {
        "Profile of dataset 7: flights",
        "Counted from all 10 rows.",
        "Sum of DELAY per day (DAY)",
    } <= set(texts)
    assert {"0% empty", "2 distinct", "UA", "9"} <= set(texts)
    assert texts.count("2013-01-02") == 1


def test_the_svg_says_in_words_what_it_shows() -> None:
    root = ET.fromstring(render_svg(profiled(("CARRIER", "string", ["UA", "AA", "UA"]))))  # noqa: S314  our own
    named = {element.get("id"): element.text for element in root if element.get("id")}
    assert root.get("aria-labelledby") == " ".join(id for id in named if id)
    assert "CARRIER (string): 0% empty; 2 distinct; AA … UA; commonest: UA 2, AA 1" in (named["desc"] or "")


def test_hostile_names_and_values_stay_texts() -> None:
    svg = render_svg(profiled((HOSTILE, "string", [HOSTILE, HOSTILE, "b"]), ("N", "int", [1, 2, 3])))
    tags = {element.tag.rpartition("}")[2] for element in ET.fromstring(svg).iter()}  # noqa: S314  our own
    assert tags <= {"svg", "title", "desc", "style", "rect", "text", "line", "g"}
    assert "<script" not in svg
    assert "\u202e" not in svg
    assert any("</title><script>" in text for text in texts_of(svg))


def test_the_svg_stands_alone_and_knows_dark_pages() -> None:
    svg = render_svg(profiled(("DAY", "date", DAYS)))
    assert "prefers-color-scheme:dark" in svg
    without_namespace = svg.replace('xmlns="http://www.w3.org/2000/svg"', "")
    assert not re.search(r"https?:|href|@import|url\(", without_namespace)


def test_a_negative_bar_hangs_from_the_line_at_zero() -> None:
    svg = render_svg(profiled(("DAY", "date", DAYS[:2]), ("DELAY", "double", [10, -10])))
    bars = re.findall(
        r'<rect class="bar" x="[^"]+" y="([\d.]+)" width="[^"]+" height="([\d.]+)"><title>', svg
    )
    [(top, height), (below, same)] = [(float(y), float(tall)) for y, tall in bars]
    assert (top + height, height) == (below, same)


def test_of_a_wide_table_as_many_columns_are_drawn_as_can_be_read() -> None:
    svg = render_svg(profiled(*((f"C{number}", "string", [f"v{number}"]) for number in range(9))))
    values = [text for text in texts_of(svg) if text.startswith("v")]
    assert values == [f"v{number}" for number in range(TABLE_COLUMNS)]


def test_an_empty_table_has_a_picture_too_in_both_languages() -> None:
    empty = profiled(("A", "string", []))
    assert "Counted from all 0 rows." in texts_of(render_svg(empty))
    with speaking("ru"):
        assert "Столбцы" in texts_of(render_svg(empty))
