"""Tools for the blind spot: the tables and rows behind a source, which Bitrix24 receives and never shows."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import BaseModel, ConfigDict, Field
from pydantic.json_schema import SkipJsonSchema

from bi_mcp.diagnostics.findings.finding import Finding
from bi_mcp.diagnostics.tables.foreign_text import ForeignText, texts_of_header, texts_of_rows
from bi_mcp.rest.methods import Effect
from bi_mcp.server.tools.answer_size import compact
from bi_mcp.server.tools.answers import FROM_OUTSIDE, Answer, count_of
from bi_mcp.server.tools.context import BiContext, app_of
from bi_mcp.server.tools.finding_lines import describe_findings, tell_call
from bi_mcp.server.tools.parameters import Id, SourceOf, TableCode
from bi_mcp.server.tools.tool import ToolDeclaration

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bi_mcp.endpoints.answers import Breach

LONGEST_CELL = 80
MOST_ROWS = 100

Limit = Annotated[int, Field(ge=1, le=MOST_ROWS)]


class TableView(BaseModel):
    """An external table. `external_code` is what a dataset takes."""

    model_config = ConfigDict(defer_build=True)

    external_code: str = Field(serialization_alias="externalCode")
    title: str


class ColumnView(BaseModel):
    """An external column."""

    model_config = ConfigDict(defer_build=True)

    code: str
    name: str
    type: str


class External(Answer):
    """Tables of the external system, or the columns of one with how they would look as a dataset."""

    cut_lists = ("breaches", "tables", "columns")
    advice_if_cut = "Look for a table with search; dataset_propose takes a table by its externalCode and all of its columns."

    tables: list[TableView] | None = None
    columns: list[ColumnView] | None = None
    truncated: bool = False
    breaches: list[str]

    def headline(self) -> str:
        found = (
            count_of(len(self.tables), "table")
            if self.tables is not None
            else count_of(len(self.columns or []), "column")
        )
        return f"{found}{', and more' if self.truncated else ''}. {FROM_OUTSIDE}"

    def foreign_texts(self, content: dict[str, Any]) -> Iterable[ForeignText]:
        for kind, code, name in (("table", "externalCode", "title"), ("column", "code", "name")):
            for each in content.get(f"{kind}s", ()):
                yield ForeignText(f"{kind} {each[code]}", f"{each[code]}\n{each[name]}", is_name=True)


class Proposed(Answer):
    """The `fields` for dataset_add, and why they differ from the external table."""

    fields: dict[str, Any]
    reasons: list[str]
    existing: list[dict[str, Any]] | None = None

    def headline(self) -> str:
        existing = [dataset["told"] for dataset in self.existing or ()] or ["No dataset of this table yet."]
        return " ".join([*existing, "dataset_add accepts these fields unchanged.", FROM_OUTSIDE])

    def text(self, tool: str) -> str:
        """The reasons as lines, and the fields as the call takes them."""
        calls = [tell_call(each["call"]) for each in self.existing or () if "call" in each]
        lines = [self.notice, *calls, *self.reasons, f"fields: {compact(self.fields)}"]
        return self.in_lines(tool, lines)

    def foreign_texts(self, content: dict[str, Any]) -> Iterable[ForeignText]:
        fields = content["fields"]
        yield ForeignText("externalName", str(fields.get("externalName", "")), is_name=True)
        for column in fields.get("fields", ()):
            yield ForeignText(f"column {column['name']}", str(column["externalCode"]), is_name=True)


class Previewed(Answer):
    """The first rows of a dataset, and the request that fetched them."""

    cut_lists = ("rows", "breaches", "sent")
    advice_if_cut = "Ask for fewer columns with select, or fewer rows with limit."

    header: list[str]
    types: list[str]
    rows: list[list[Any]]
    truncated: bool
    breaches: list[str]
    sent: list[str]
    brief: Annotated[SkipJsonSchema[str], Field(exclude=True)]

    def headline(self) -> str:
        rest = "and there are more" if self.truncated else "that is all"
        return f"{count_of(len(self.rows), 'row')}, {rest}. {FROM_OUTSIDE}"

    def foreign_texts(self, content: dict[str, Any]) -> Iterable[ForeignText]:
        yield from texts_of_header(content["header"])
        yield from texts_of_rows(content["header"], content["rows"])

    def text(self, tool: str) -> str:
        """The rows as a table, which a model and a person read faster than JSON."""
        content = self.structured_content()
        header = [
            f"{name} {type_}".rstrip()
            for name, type_ in zip(content["header"], content["types"], strict=True)
        ]
        cells = [
            ["" if value is None else " ".join(str(value).splitlines()).replace("|", "¦") for value in row]
            for row in (header, *content["rows"])
        ]
        notes = [content.get("notice"), *content["breaches"], f"Sent: {self.brief}"]
        # A row of one empty cell is a line, too.
        return "\n".join([self.in_lines(tool, notes), *(" | ".join(row) for row in cells)])


class Diagnosed(Answer):
    """One verdict on a dataset, and what it rests on."""

    cut_lists = ("findings",)
    advice_if_cut = "The worst come first: fix them, then diagnose again."

    id: int
    name: str | None = None
    verdict: str
    charts: str
    who: str | None = None
    stands_on: str | None = None
    findings: list[Finding]

    def headline(self) -> str:
        first = f"First to act: {self.who}." if self.who else ""
        place = f" ({self.stands_on})" if self.stands_on else ""
        said = (
            f'Dataset {self.id} "{self.name}"{place}: {self.verdict}.',
            self.charts,
            first,
            "" if self._is_repairable() else "Nothing on the portal repairs it.",
            FROM_OUTSIDE,
        )
        return " ".join(part for part in said if part)

    def _is_repairable(self) -> bool:
        """Return whether nothing is wrong, or a call that changes something is offered."""
        serious = [finding for finding in self.findings if finding.level in {"warning", "error"}]
        calls = [str(call["tool"]) for finding in serious for call in finding.offered]
        mending = any(tool.endswith(("_update", "_replace", "_add", "_propose")) for tool in calls)
        return not serious or mending or any(finding.who != "connector operator" for finding in serious)

    def text(self, tool: str) -> str:
        """The findings as lines, with their calls."""
        content = self.structured_content()
        told = [content.get("notice"), *describe_findings(content["findings"])]
        return self.in_lines(tool, told)


async def source_tables(
    ctx: BiContext, source: SourceOf, search: str = "", table: TableCode | None = None
) -> External:
    """List the external tables of a source, or with table its columns."""
    outside = await app_of(ctx).open_outside(source)
    if table is None:
        tables = await outside.tables(search)
        views = [TableView(external_code=item.external_code, title=item.title) for item in tables.items]
        return External(tables=views, truncated=tables.truncated, breaches=_breaches(tables.breaches))
    columns = await outside.columns(table)
    described = [ColumnView(code=item.code, name=item.name, type=item.type) for item in columns.items]
    return External(columns=described, truncated=columns.truncated, breaches=_breaches(columns.breaches))


async def dataset_propose(
    ctx: BiContext,
    source: SourceOf,
    table: TableCode,
    like: Annotated[Id | None, Field(description="Dataset whose names and types to keep")] = None,
    name: str | None = None,
) -> Proposed:
    """Make the complete fields for dataset_add of an external table: legal names, types
    checked against sampled values. Says if the table is a dataset already. Creates nothing.
    """
    from bi_mcp.diagnostics.dataset.diagnosis import propose_dataset

    app = app_of(ctx)
    outside = await app.open_outside(source)
    proposal = await propose_dataset(app.bi, outside, table, like, name)
    existing = [
        {"id": each.id, "told": each.told, **({"call": each.call} if each.call else {})}
        for each in proposal.existing
    ]
    return Proposed(fields=proposal.fields, reasons=proposal.reasons, existing=existing or None)


async def dataset_preview(
    ctx: BiContext,
    id: Id,
    select: Annotated[list[str] | None, Field(description="Default: the visible")] = None,
    filter: Annotated[
        dict[str, Any] | None,
        Field(description='{"CITY": ["Rome"], ">=DAY": "2025-01-31", ">SUM": 5}'),
    ] = None,
    limit: Limit = 10,
) -> Previewed:
    """Show the first rows of a dataset as a chart gets them, and what was sent: to see values; for counts profile it."""
    from bi_mcp.diagnostics.dataset.preview import preview_dataset

    app = app_of(ctx)
    rows, types, sent, brief = await preview_dataset(
        app.bi, app.portal.caller, id, select=select or (), filter=filter, limit=limit
    )
    return Previewed(
        header=rows.header,
        types=types,
        rows=[[_shorten(value) for value in row] for row in rows.rows],
        truncated=rows.truncated,
        breaches=_breaches(rows.breaches),
        sent=sent,
        brief=brief,
    )


async def dataset_diagnose(ctx: BiContext, id: Id) -> Diagnosed:
    """Find out why a dataset is broken: compares its columns with the external description, the data's header and sampled
    values. Each finding has the call that repairs it, or says who else must act. Changes nothing.
    """
    from bi_mcp.diagnostics.dataset.diagnosis import diagnose_dataset

    app = app_of(ctx)
    dataset, outside, diagnosis = await diagnose_dataset(app.bi, app.portal.caller, id)
    return Diagnosed(
        id=id,
        name=dataset.name,
        verdict=diagnosis.verdict,
        charts=diagnosis.charts,
        who=diagnosis.who,
        stands_on=f"source {outside.source.id}, connector {outside.connector.id}",
        findings=diagnosis.findings,
    )


def _breaches(breaches: Sequence[Breach]) -> list[str]:
    return [f"{breach.where}: {breach.rule} {breach.detail}".rstrip() for breach in breaches]


def _shorten(value: object) -> object:
    if isinstance(value, str) and len(value) > LONGEST_CELL:
        return value[: LONGEST_CELL - 1] + "…"
    return value


TOOLS = (
    ToolDeclaration(source_tables, title="Tables of a source", own_effect=Effect.READ),
    ToolDeclaration(dataset_propose, title="Propose a dataset", own_effect=Effect.READ),
    ToolDeclaration(dataset_preview, title="Preview a dataset", own_effect=Effect.READ),
    ToolDeclaration(dataset_diagnose, title="Diagnose a dataset", own_effect=Effect.READ),
)
