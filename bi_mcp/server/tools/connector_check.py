"""`connector_check`: the answers of a connector's endpoints, which Bitrix24 receives and never shows."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated

from mcp.types import InputRequiredResult
from pydantic import Field

from bi_mcp.base.language import say
from bi_mcp.diagnostics.connector.report import ConnectorReport, EndpointFacts
from bi_mcp.diagnostics.findings.endpoint_rules import ENDPOINTS
from bi_mcp.diagnostics.findings.finding import Finding, in_brief
from bi_mcp.errors import InvalidRequestError
from bi_mcp.rest.methods import Effect
from bi_mcp.rest.models import ReceivedParameter, SourceSetting
from bi_mcp.server.tools.answers import Answer
from bi_mcp.server.tools.context import BiContext, app_of
from bi_mcp.server.tools.diagnosis import FROM_OUTSIDE
from bi_mcp.server.tools.parameters import Id
from bi_mcp.server.tools.secret_question import ask_for_secrets
from bi_mcp.server.tools.source import SettingsArgument, resolve_settings
from bi_mcp.server.tools.tool import ToolDeclaration
from bi_mcp.vault.travel import addresses_of


class Checked(Answer):
    """The answers of a connector's endpoints."""

    cut_lists = ("findings",)
    advice_if_cut = "Fix what is reported, then check again."

    verdict: str
    table: str | None = None
    seconds: float
    endpoints: list[EndpointFacts]
    findings: list[Finding]

    def headline(self) -> str:
        calls = sum(facts.calls or 0 for facts in self.endpoints)
        return f"{in_brief(self.verdict, self.findings)} {calls} calls in {self.seconds:g} s. {FROM_OUTSIDE}"


async def connector_check(
    ctx: BiContext,
    source: Id | None = None,
    urls: Annotated[dict[str, str] | None, Field(description='{"urlCheck": …, "urlData": …}')] = None,
    settings: SettingsArgument | None = None,
    table: str | None = None,
    quick: bool = False,
) -> Checked | InputRequiredResult:
    """Call a connector's endpoints as Bitrix24 and its charts do (quick: without charts) and name what fails: of a source, with
    settings tried in place of its own, or, before anything exists, by urls and settings. Sends the settings' values to those
    addresses. Changes nothing on the portal.
    """
    if bool(source) is bool(urls):
        raise InvalidRequestError(
            say("connector_check takes the id of a source, or urls with settings. Pass one of them.")
        )
    report = (
        await _check_with(ctx, source, settings or {}, table, quick=quick)
        if source
        else await _check_urls(ctx, urls or {}, settings or {}, table, quick=quick)
    )
    return report if isinstance(report, InputRequiredResult) else Checked(**report.model_dump())


async def _check_with(
    ctx: BiContext, source: int, settings: SettingsArgument, table: str | None, *, quick: bool
) -> ConnectorReport | InputRequiredResult:
    """Check a source with values that are not saved. Values that are not passed are taken from the source."""
    app = app_of(ctx)
    outside = await app.open_outside(source)
    connector = outside.connector
    addresses = addresses_of(connector)
    app.setting_values.check_places(settings, connector.settings or [])
    question = await ask_for_secrets(ctx, settings, addresses, connector.title or "")
    if question:
        return question
    tried = await resolve_settings(app, settings, connector.settings or [], addresses)
    values = {**outside.connection, **tried}
    complete = [SourceSetting(code=code, value=value) for code, value in values.items()]
    changed = outside.source.model_copy(update={"settings": complete})
    return await replace(outside, source=changed).check(table, quick=quick)


async def _check_urls(
    ctx: BiContext, urls: dict[str, str], settings: SettingsArgument, table: str | None, *, quick: bool
) -> ConnectorReport | InputRequiredResult:
    from bi_mcp.diagnostics.connector.check import examine_connector

    _check_names(urls)
    app = app_of(ctx)
    declared = [ReceivedParameter(code=code) for code in settings]
    app.setting_values.check_places(settings, declared)
    question = await ask_for_secrets(ctx, settings, urls.values(), "that is only checked")
    if question:
        return question
    connection = await resolve_settings(app, settings, declared, urls.values())
    return await examine_connector(app.portal.caller, urls, connection, table=table, quick=quick)


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
        reads_with=frozenset({"source", "table", "quick"}),
    ),
)
