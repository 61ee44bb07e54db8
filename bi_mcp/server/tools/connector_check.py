"""`connector_check`: the answers of a connector's endpoints, which Bitrix24 receives and never shows."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Any, NamedTuple, cast

from mcp.types import InputRequiredResult
from pydantic import Field

from bi_mcp.base.language import say
from bi_mcp.diagnostics.connector.report import ConnectorReport, EndpointFacts
from bi_mcp.diagnostics.findings.endpoint_rules import ENDPOINTS
from bi_mcp.diagnostics.findings.finding import Finding
from bi_mcp.diagnostics.portal.blast_radius import BlastRadius
from bi_mcp.diagnostics.portal.tried_addresses import of_tried_addresses
from bi_mcp.errors import InvalidRequestError
from bi_mcp.rest.methods import Effect
from bi_mcp.rest.models import Connector, ReceivedParameter, SourceSetting
from bi_mcp.rest.models.connector import ADDRESSES
from bi_mcp.server.tools.answer_size import compact
from bi_mcp.server.tools.answers import FROM_OUTSIDE, NOT_YET, Answer, Preview, PreviewField, count_of
from bi_mcp.server.tools.confirmation import Confirm, Gated, gate
from bi_mcp.server.tools.context import BiContext, app_of
from bi_mcp.server.tools.finding_lines import describe_findings
from bi_mcp.server.tools.parameters import Id
from bi_mcp.server.tools.secret_question import ask_for_secrets
from bi_mcp.server.tools.source import SettingsArgument, resolve_settings
from bi_mcp.server.tools.tool import ToolDeclaration
from bi_mcp.vault.travel import addresses_of

CheckedTable = Annotated[str | None, Field(description="Default: the dataset's, or the first")]
Quick = Annotated[bool, Field(description="Without charts")]
Repeat = Annotated[int | None, Field(ge=2, le=20, description="Calls of each: how often it answers")]
Urls = Annotated[
    dict[str, str] | None,
    Field(description='{"urlCheck": …, "urlTableList": …, "urlTableDescription": …, "urlData": …}'),
]


class How(NamedTuple):
    """The way in which endpoints are asked."""

    table: str | None
    quick: bool
    repeat: int


class Checked(Answer):
    """The answers of a connector's endpoints, or what it would take to ask them."""

    cut_lists = ("findings",)
    advice_if_cut = "Fix what is reported, then check again."

    verdict: str = ""
    table: str | None = None
    seconds: float = 0
    endpoints: list[EndpointFacts] = Field(default_factory=list)
    findings: list[Finding] = Field(default_factory=list)
    preview: PreviewField = None

    @classmethod
    def not_yet(cls, preview: Preview) -> Checked:
        """The answer of a call that waits for its confirmation."""
        return cls(preview=preview)

    def headline(self) -> str:
        if self.preview:
            return NOT_YET
        rates = [f"{facts.endpoint} answered {facts.rate}." for facts in self.endpoints if facts.rate]
        accepted = [facts.held for facts in self.endpoints if facts.endpoint == "urlCheck" and facts.held]
        said = " ".join([*(f"urlCheck: {held}." for held in accepted), *rates])
        calls = sum(facts.calls or 0 for facts in self.endpoints)
        serious = sum(finding.level in {"warning", "error"} for finding in self.findings)
        problems = f", {count_of(serious, 'problem')}" if serious else ""
        brief = f"{self.verdict}{problems}. {said}".rstrip()
        # The other calls are those that the rules need.
        asked = next((f", rates of {facts.rate.split()[-1]}" for facts in self.endpoints if facts.rate), "")
        return f"{brief} {calls} calls{asked}, in {self.seconds:g} s. {FROM_OUTSIDE}"

    def structured_content(self) -> dict[str, Any]:
        """Nothing of a check that has not been made."""
        content = super().structured_content()
        return (
            {key: content[key] for key in ("notice", "preview") if key in content}
            if self.preview
            else content
        )

    def text(self, tool: str) -> str:
        """The findings as lines, and below them the facts about the endpoints."""
        content = self.structured_content()
        if self.preview:
            return super().text(tool)
        facts = {key: value for key, value in content.items() if key in {"table", "endpoints"}}
        told = [content.get("notice"), *describe_findings(content["findings"]), compact(facts)]
        return self.in_lines(tool, told)


async def _trial(
    source: int | None,
    urls: dict[str, str] | None,
    settings: SettingsArgument | None,
    table: str | None,
    quick: bool,
    repeat: int | None,
    ctx: BiContext,
) -> Gated:
    """Values go to other hosts than their source's only if the person agrees, as when its connector is moved."""
    passed = settings or {}

    async def look() -> BlastRadius | None:
        if not (source and urls):
            return None
        app = app_of(ctx)
        outside = await app.open_outside(source)
        tried = _with_urls(outside.connector, urls)
        return await of_tried_addresses(outside.source, outside.connector, tried, app.setting_values, passed)

    # With the values, so that a token for one is of no use for another; in clear nowhere.
    seal = app_of(ctx).seal
    values = {
        code: value if isinstance(value, str | int) else value.model_dump() for code, value in passed.items()
    }
    arguments = {
        "source": source,
        "urls": urls,
        "table": table,
        "quick": quick,
        "repeat": repeat,
        "settings": seal.digest(values).hex() if seal else sorted(passed),
    }
    return Gated("connector_check", arguments, look)


async def connector_check(
    ctx: BiContext,
    preview: Annotated[Preview | None, gate(_trial)],
    source: Annotated[Id | None, Field(description="Or a dataset on it, or its connector")] = None,
    urls: Urls = None,
    settings: SettingsArgument | None = None,
    table: CheckedTable = None,
    quick: Quick = False,
    repeat: Repeat = None,
    confirm: Confirm = None,  # noqa: ARG001  the gate reads it
) -> Checked:
    """Call a connector's endpoints as Bitrix24 and its charts do and name what fails: of a source, with urls and settings tried in place of its own, or, before anything exists, by urls and settings.
    Sends the values to those addresses. Changes nothing on the portal.
    """
    if preview:
        return Checked.not_yet(preview)
    if not source and not urls:
        raise InvalidRequestError(
            say("connector_check takes the id of a source, or urls with settings. Pass one of them.")
        )
    _check_names(urls or {})
    how = How(table, quick, repeat or 0)
    report = (
        await _check_with(ctx, source, urls or {}, settings or {}, how)
        if source
        else await _check_urls(ctx, urls or {}, settings or {}, how)
    )
    if isinstance(report, InputRequiredResult):
        # The SDK takes one way of asking per tool. The gate asks only with urls of a source, and secrets are asked for without.
        return cast("Checked", report)
    return Checked(**report.model_dump())


async def _check_with(
    ctx: BiContext, source: int, urls: dict[str, str], settings: SettingsArgument, how: How
) -> ConnectorReport | InputRequiredResult:
    """Check a source with addresses and values that are not saved. Those that are not passed are taken from the portal."""
    app = app_of(ctx)
    outside = await app.open_outside(source)
    connector = _with_urls(outside.connector, urls)
    addresses = addresses_of(connector)
    app.setting_values.check_places(settings, connector.settings or [])
    if urls:
        # Also where nothing is confirmed: a stored secret goes only where the user bound it to.
        await of_tried_addresses(outside.source, outside.connector, connector, app.setting_values, settings)
    elif question := await ask_for_secrets(ctx, settings, addresses, connector.title or ""):
        return question
    tried = await resolve_settings(app, settings, connector.settings or [], addresses)
    values = {**outside.connection, **tried}
    complete = [SourceSetting(code=code, value=value) for code, value in values.items()]
    changed = outside.source.model_copy(update={"settings": complete})
    trial = replace(outside, source=changed, connector=connector)
    return await trial.check(how.table, quick=how.quick, repeat=how.repeat)


async def _check_urls(
    ctx: BiContext, urls: dict[str, str], settings: SettingsArgument, how: How
) -> ConnectorReport | InputRequiredResult:
    from bi_mcp.diagnostics.connector.check import examine_connector

    app = app_of(ctx)
    declared = [ReceivedParameter(code=code) for code in settings]
    app.setting_values.check_places(settings, declared)
    question = await ask_for_secrets(ctx, settings, urls.values(), "that is only checked")
    if question:
        return question
    connection = await resolve_settings(app, settings, declared, urls.values())
    return await examine_connector(
        app.portal.caller, urls, connection, table=how.table, quick=how.quick, repeat=how.repeat
    )


def _with_urls(connector: Connector, urls: dict[str, str]) -> Connector:
    """The connector with these addresses in place of its own."""
    names = dict(zip(ENDPOINTS, ADDRESSES, strict=True))
    return connector.model_copy(update={names[name]: url for name, url in urls.items() if name in names})


def _check_names(urls: dict[str, str]) -> None:
    """Refuse unknown names: an address under another name would not be called, and the lack of findings would prove nothing."""
    unknown = [name for name in urls if name not in ENDPOINTS]
    if unknown:
        raise InvalidRequestError(
            say(
                "urls: unknown endpoint {unknown}. Use these names: {endpoints}.",
                unknown=", ".join(unknown),
                endpoints=", ".join(ENDPOINTS),
            )
        )


TOOLS = (
    # It sends the values of settings to addresses that the model names: no client should call it unasked. Of a source alone
    # the portal holds both, as for source_tables.
    ToolDeclaration(
        connector_check,
        title="Check a connector",
        own_effect=Effect.CREATE,
        reads_with=frozenset({"source", "table", "quick", "repeat"}),
    ),
)
