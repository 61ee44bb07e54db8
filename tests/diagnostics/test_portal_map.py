"""The map of a portal: what the snapshot tells of each object's health, and titles that stay titles in every picture."""

from __future__ import annotations

import re
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from bi_mcp.diagnostics.portal.health import build_portal_map
from bi_mcp.diagnostics.portal.map_mermaid import render_mermaid
from bi_mcp.diagnostics.portal.map_svg import render_svg
from bi_mcp.diagnostics.portal.map_text import render_tree
from bi_mcp.diagnostics.portal.portal_map import MAX_SHOWN, MapNode, PortalMap
from bi_mcp.rest.models import Connector, Dataset, Source
from bi_mcp.rest.snapshot import Snapshot, Vanished
from tests.rest.calling import a_portal, connector_fields, dataset_fields, source_fields

LOGIN = {"code": "login", "name": "Login", "type": "STRING"}
COLUMN = {"id": 1, "name": "ID", "externalCode": "id", "type": "int", "visible": True}
HOSTILE = '"]:::x --> y; </title><script>alert(1)</script> %%{init}%% `b` #quot; &amp;\n\u202eend'


def a_snapshot(
    *,
    connector: dict[str, Any] | None = None,
    source: dict[str, Any] | None = None,
    dataset: dict[str, Any] | None = None,
    vanished: tuple[Vanished, ...] = (),
) -> Snapshot:
    """One healthy object of each kind, changed."""
    connectors = Connector.model_validate({"id": 1, "title": "Shop", "settings": [LOGIN]} | (connector or {}))
    settings = [{**LOGIN, "value": "canary"}]
    sources = Source.model_validate(
        {"id": 2, "title": "Shop one", "connectorId": 1, "active": True, "settings": settings}
        | (source or {})
    )
    datasets = Dataset.model_validate(
        {"id": 3, "name": "orders", "sourceId": 2, "externalId": 7, "fields": [COLUMN]} | (dataset or {})
    )
    return Snapshot({connectors.id: connectors}, {sources.id: sources}, {datasets.id: datasets}, vanished)


def node_of(portal_map: PortalMap, key: str) -> MapNode:
    return next(node for node in portal_map.nodes if node.key == key)


def a_big_map(datasets: int, *, broken: int) -> PortalMap:
    """Many datasets of one source; the last of them are broken."""
    snapshot = a_snapshot()
    of_one = {
        id: Dataset.model_validate(
            {
                "id": id,
                "name": f"d{id}",
                "sourceId": 2,
                "fields": [] if id > datasets - broken else [COLUMN],
            }
        )
        for id in range(1, datasets + 1)
    }
    return build_portal_map(Snapshot(snapshot.connectors, snapshot.sources, of_one))


def texts_of(svg: str) -> list[str]:
    return ["".join(element.itertext()) for element in ET.fromstring(svg).iter() if element.text]  # noqa: S314  our own


def test_what_nobody_asked_is_not_called_well() -> None:
    portal_map = build_portal_map(a_snapshot())
    assert portal_map.verdict == "unchecked"
    assert [(node.key, node.parent, node.level) for node in portal_map.nodes] == [
        ("connector 1", None, "unchecked"),
        ("source 2", "connector 1", "unchecked"),
        ("dataset 3", "source 2", "unchecked"),
    ]
    tree = render_tree(portal_map).splitlines()
    assert tree[3] == '    ? dataset 3 "orders"'
    assert "No endpoint was called" in tree[-1]
    assert "dataset 3: orders #40;not checked#41;" in render_mermaid(portal_map)
    svg = render_svg(portal_map)
    assert svg.count('<g class="unchecked">') == 3
    assert "? orders · 3 · not checked" in texts_of(svg)


def test_objects_are_counted_by_kind() -> None:
    assert a_big_map(54, broken=5).summary() == (
        "1 connector: 1 not checked; 1 source: 1 not checked; 54 datasets: 49 not checked, 5 broken"
    )


@pytest.mark.parametrize(
    ("changes", "key", "level", "said"),
    [
        ({"source": {"active": False}}, "source 2", "error", "switched off"),
        ({"source": {"settings": []}}, "source 2", "warning", "login"),
        ({"source": {"connectorId": 9}}, "source 2", "error", "connector 9 does not exist"),
        ({"dataset": {"sourceId": 9}}, "dataset 3", "error", "source 9 does not exist"),
        ({"dataset": {"fields": []}}, "dataset 3", "error", "no columns"),
        ({"dataset": {"fields": [{**COLUMN, "visible": False}]}}, "dataset 3", "warning", "hidden"),
    ],
)
def test_what_the_snapshot_tells_becomes_a_finding_of_the_object(
    changes: dict[str, Any], key: str, level: str, said: str
) -> None:
    portal_map = build_portal_map(a_snapshot(**changes))
    node = node_of(portal_map, key)
    assert (node.level, portal_map.verdict) == (level, level)
    assert len(node.findings) == 1
    assert said in node.findings[0].what
    assert all(other.level == "unchecked" for other in portal_map.nodes if other.key != key)


def test_a_note_does_not_stand_for_a_check() -> None:
    portal_map = build_portal_map(a_snapshot(dataset={"externalId": 0}))
    node = node_of(portal_map, "dataset 3")
    assert (node.level, portal_map.verdict) == ("unchecked", "unchecked")
    assert "no BI Builder dataset" in node.findings[0].what


def test_a_vanished_object_is_only_noted() -> None:
    portal_map = build_portal_map(a_snapshot(vanished=(Vanished("dataset", 8, "gone"),)))
    node = node_of(portal_map, "dataset 8")
    assert node.level == "note"
    assert "deleted while" in node.findings[0].what


def test_what_the_snapshot_does_not_tell_is_not_judged() -> None:
    untold: dict[str, Any] = {"sourceId": None, "externalId": None, "fields": None}
    source = {"connectorId": None, "active": None, "settings": None}
    portal_map = build_portal_map(a_snapshot(source=source, dataset=untold))
    assert portal_map.verdict == "unchecked"
    assert [node.parent for node in portal_map.nodes] == [None, None, None]


def test_an_empty_portal_has_a_picture_too() -> None:
    portal_map = build_portal_map(Snapshot({}, {}, {}))
    assert "The portal is empty" in portal_map.summary()
    assert render_mermaid(portal_map).startswith("flowchart LR\n  classDef")
    assert any("The portal is empty" in text for text in texts_of(render_svg(portal_map)))


def test_no_value_of_a_setting_is_in_any_picture() -> None:
    portal_map = build_portal_map(a_snapshot(source={"active": False}))
    everything = portal_map.model_dump_json() + render_mermaid(portal_map) + render_svg(portal_map)
    assert "canary" not in everything


def test_a_hostile_title_stays_a_label_in_mermaid() -> None:
    drawn = render_mermaid(build_portal_map(a_snapshot(connector={"title": HOSTILE})))
    [line] = [line for line in drawn.splitlines() if line.startswith("  c1[")]
    label = re.fullmatch(r'  c1\["([^"]*)"\]:::unchecked', line)
    assert label is not None
    assert not set(re.sub(r"#\d+;", "", label[1])) & set("`<>%&#\\[]{};|")
    assert drawn.count("-->") == 2


def test_a_hostile_title_stays_a_text_in_the_svg() -> None:
    changes: dict[str, Any] = {
        "connector": {"title": HOSTILE, "settings": [{**LOGIN, "code": "<b>&\x00"}]},
        "source": {"title": HOSTILE},
        "dataset": {"name": HOSTILE},
    }
    svg = render_svg(build_portal_map(a_snapshot(**changes)))
    tags = {element.tag.rpartition("}")[2] for element in ET.fromstring(svg).iter()}  # noqa: S314  our own
    assert tags <= {"svg", "title", "style", "rect", "text", "tspan", "path", "g"}
    assert "<script" not in svg
    assert any('"]:::x --> y; </title><script>' in text for text in texts_of(svg))
    assert "\u202e" not in svg


def test_the_svg_stands_alone_and_knows_dark_pages() -> None:
    svg = render_svg(build_portal_map(a_snapshot()))
    assert "prefers-color-scheme:dark" in svg
    without_namespace = svg.replace('xmlns="http://www.w3.org/2000/svg"', "")
    assert not re.search(r"https?:|href|@import|url\(", without_namespace)


def test_of_a_big_portal_the_gravest_are_shown_with_what_they_stand_on_and_the_rest_is_counted() -> None:
    portal_map = a_big_map(1000, broken=5)
    shown = portal_map.reduce()
    assert (len(shown.nodes), shown.left_out) == (MAX_SHOWN, 1002 - MAX_SHOWN)
    assert {node.key for node in portal_map.nodes if node.level == "error"} <= {
        node.key for node in shown.nodes
    }
    assert [node.key for node in shown.nodes[:3]] == ["connector 1", "source 2", "dataset 1"]
    assert render_mermaid(portal_map).count(":::") == MAX_SHOWN
    assert "and 702 more" in render_mermaid(portal_map)
    assert render_svg(portal_map).count("<g ") == MAX_SHOWN
    assert any("702 more" in text for text in texts_of(render_svg(portal_map)))


def test_no_two_objects_are_drawn_on_one_another() -> None:
    places = re.findall(r'<svg x="(\d+)" y="(\d+)"', render_svg(a_big_map(50, broken=1)))
    assert len(places) == len(set(places)) == 52


@pytest.mark.anyio
async def test_a_portal_is_mapped_from_its_snapshot() -> None:
    async with a_portal() as portal:
        connector = await portal.bi.connectors.add(connector_fields())
        source = await portal.bi.sources.add(source_fields(connector))
        await portal.bi.datasets.add(dataset_fields(source))
        await portal.bi.datasets.add(dataset_fields(source, "goods"), builder_dataset=False)
        portal_map = build_portal_map(await portal.bi.snapshot())
    assert [(node.title, [finding.code for finding in node.findings]) for node in portal_map.nodes] == [
        ("Shop", []),
        ("Shop one", []),
        ("orders", []),
        ("goods", ["no_builder_dataset"]),
    ]
    assert {node.level for node in portal_map.nodes} == {"unchecked"}
