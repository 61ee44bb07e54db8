"""Random valid setups, and a portal with a workspace on it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

from bi_mcp.auth.portal_identity import PortalIdentity
from bi_mcp.base.secret import Secret
from bi_mcp.config import Generation
from bi_mcp.rest.models.dataset import ColumnType
from bi_mcp.rest.snapshot import Snapshot
from bi_mcp.setup.setup import ColumnEntry, ConnectorEntry, DatasetEntry, Setup, SourceEntry
from bi_mcp.setup.state_file import StateFile
from bi_mcp.setup.workspace import Workspace
from bi_mcp.vault.secret_parameters import is_harmless
from bi_mcp.vault.setting_values import EnvReference, SettingValues
from tests.rest.calling import CHECK, Portal, a_portal

HOST = "portal.example"
PASSWORD = "correct horse"

# Few, so that two setups have many in common.
_KEYS = st.one_of(st.sampled_from("abc"), st.from_regex(r"[a-z][a-z0-9_]{0,8}", fullmatch=True))
# What people write: letters of several scripts, signs, and what YAML would like to read as something else.
_TEXTS = st.one_of(
    st.sampled_from("xy"),
    st.text(
        st.characters(codec="utf-8", exclude_categories=("Cs", "Cc", "Zl", "Zp")), min_size=1, max_size=20
    ).filter(lambda text: text == text.strip() and text and "$result[" not in text),
    st.sampled_from(
        [
            "yes",
            "null",
            "0123",
            "1e3",
            "2025-12-31",
            "# no comment",
            "- dash",
            "a: b",
            "Отчёт",
            "'quoted'",
            "{x}",
            "~",
            "? key",
            ": value",
            "two\nlines",
            "next\x85line",
            "\u202eright to left",
        ]
    ),
)
_CODES = st.one_of(
    st.sampled_from(["login", "password"]), st.from_regex(r"[a-z][a-z_]{0,10}", fullmatch=True)
)
_NAMES = st.one_of(st.sampled_from("ABC"), st.from_regex(r"[A-Z][A-Z0-9_]{0,10}", fullmatch=True))
_TYPES: st.SearchStrategy[ColumnType] = st.sampled_from(("int", "string", "double", "date", "datetime"))


@st.composite
def connectors(draw: st.DrawFn) -> ConnectorEntry:
    codes = draw(st.lists(_CODES, max_size=3, unique=True))
    return ConnectorEntry.model_validate(
        {
            "title": draw(_TEXTS),
            "logo": "data:image/png;base64,",
            "urlCheck": f"{CHECK}/{draw(_CODES)}",
            "urlTableList": f"{CHECK}/tables",
            "urlTableDescription": f"{CHECK}/table",
            "urlData": f"{CHECK}/data",
            "settings": [{"code": code, "name": draw(_TEXTS), "type": "STRING"} for code in codes],
            "description": draw(st.none() | _TEXTS),
            "sort": draw(st.none() | st.integers(1, 99)),
        }
    )


@st.composite
def sources(draw: st.DrawFn, connectors: dict[str, ConnectorEntry]) -> SourceEntry:
    key = draw(st.sampled_from(sorted(connectors)))
    parameters = connectors[key].settings
    return SourceEntry(
        connector=key,
        title=draw(_TEXTS),
        settings={
            each.code: "ann"
            if is_harmless(each.code, each.name)
            else EnvReference(env=f"BI_MCP_SECRET_{each.code.upper()}")
            for each in parameters
            if draw(st.booleans())
        },
        description=draw(st.none() | _TEXTS),
    )


@st.composite
def datasets(draw: st.DrawFn, sources: dict[str, SourceEntry]) -> DatasetEntry:
    names = draw(st.lists(_NAMES, min_size=1, max_size=4, unique=True))
    columns = [
        ColumnEntry(name=name, external_code=name.lower(), type=draw(_TYPES), visible=draw(st.booleans()))
        for name in names
    ]
    return DatasetEntry(
        source=draw(st.sampled_from(sorted(sources))),
        external_code=draw(_TEXTS),
        external_name=draw(_TEXTS),
        description=draw(st.none() | _TEXTS),
        columns=columns,
    )


@st.composite
def setups(draw: st.DrawFn) -> Setup:
    made = draw(st.dictionaries(_KEYS, connectors(), max_size=3))
    held = draw(st.dictionaries(_KEYS, sources(made), max_size=3)) if made else {}
    tables = draw(st.dictionaries(_KEYS, datasets(held), max_size=4)) if held else {}
    return Setup(version=1, connectors=made, sources=held, datasets=tables)


@dataclass
class Bench:
    """A portal, and workspaces on it that know each other only by the files they leave."""

    portal: Portal
    folder: Path
    secrets: dict[str, str] = field(default_factory=dict)

    @property
    def values(self) -> SettingValues:
        return SettingValues(
            variable=lambda name: Secret(self.secrets.get(name, PASSWORD)),
            folder=None,
            allow_literal_secrets=False,
        )

    def workspace(self, **changes: Any) -> Workspace:
        bi = changes.pop("bi", self.portal.bi)
        return Workspace(
            bi,
            StateFile(self.folder / "bi.yaml", PortalIdentity(HOST)),
            self.values,
            settled_after=0,
            **changes,
        )

    async def snapshot(self) -> Snapshot:
        return await self.portal.bi.snapshot()


@asynccontextmanager
async def a_bench(generation: Generation, folder: Path) -> AsyncIterator[Bench]:
    async with a_portal(generation) as portal:
        yield Bench(portal, folder)


def shown(snapshot: Snapshot) -> dict[str, Any]:
    """What a portal shows, without ids, moments and values: two portals with the same setup show the same."""
    names = {
        "connector": {item.id: item.title for item in snapshot.connectors.values()},
        "source": {item.id: item.title for item in snapshot.sources.values()},
    }
    return {
        "connectors": sorted(
            repr(
                (
                    item.title,
                    item.description,
                    item.sort,
                    item.url_check,
                    [parameter.code for parameter in item.settings or ()],
                )
            )
            for item in snapshot.connectors.values()
        ),
        "sources": sorted(
            repr(
                (
                    item.title,
                    item.description,
                    names["connector"][item.connector_id or 0],
                    sorted(
                        (setting.code, setting.value.reveal())
                        for setting in item.settings or ()
                        if setting.value
                    ),
                )
            )
            for item in snapshot.sources.values()
        ),
        "datasets": sorted(
            repr(
                (
                    item.name,
                    item.description,
                    item.external_code,
                    item.external_name,
                    names["source"][item.source_id or 0],
                    sorted(
                        (column.name, column.type, column.external_code, column.visible)
                        for column in item.fields or ()
                    ),
                )
            )
            for item in snapshot.datasets.values()
        ),
    }
