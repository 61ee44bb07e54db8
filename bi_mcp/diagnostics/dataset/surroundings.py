"""The base of a dataset: its source, the source's settings, and the connector, which may have changed."""

from __future__ import annotations

import re
from collections.abc import Iterator

from bi_mcp.auth.caller import current_caller
from bi_mcp.base.advice import AdviceKind, advise
from bi_mcp.base.language import say
from bi_mcp.diagnostics.dataset.repair_calls import call
from bi_mcp.diagnostics.findings import portal_rules as rules
from bi_mcp.diagnostics.findings.finding import Finding
from bi_mcp.diagnostics.tables.external import DatasetContext
from bi_mcp.diagnostics.tables.naming import variable_names
from bi_mcp.errors import SecretReferenceError
from bi_mcp.rest.generation import PortalGeneration
from bi_mcp.rest.models import Connector, Source, SourceSetting
from bi_mcp.vault.destinations import find_destinations
from bi_mcp.vault.secret_index import advise_store
from bi_mcp.vault.secret_parameters import is_harmless, looks_secret
from bi_mcp.vault.setting_values import ENV_PREFIX
from bi_mcp.vault.travel import addresses_of

_MOMENT = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", re.ASCII)


def check_surroundings(
    source: Source | None, connector: Connector | None, generation: PortalGeneration
) -> list[Finding]:
    """Check the source and the connector. One that is not known is not judged."""
    if source is None:
        return []
    findings = list(_check_active(source, generation))
    if connector is not None:
        findings.extend(_check_settings(source, connector))
    return findings


def correct_values(source: Source, connector: Connector) -> tuple[str, dict[str, object] | None]:
    """Say how to give a source other values where its own are refused: the secret ones, else all. With the call that does it."""
    parameters = connector.settings or ()
    secret = [each.code for each in parameters if looks_secret(each.code, each.name or "")]
    codes = secret or [each.code for each in parameters]
    if not codes:
        return "", None
    wrong = say(
        "The values of source {id} are wrong or no longer valid: put in {codes} anew.",
        id=source.id,
        codes=", ".join(codes),
    )
    return f"{wrong} {_values_wanted(source, connector, codes)}", _setting_call(source.id, connector, codes)


def check_dates(context: DatasetContext, *, troubled: bool) -> list[Finding]:
    """Report a source or connector that changed after the dataset was made. A changed source is only reported where there is trouble to explain."""
    created = context.dataset.date_create
    source, connector = context.source, context.connector
    findings = list[Finding]()
    if connector is not None:
        moments = (connector.date_create, (connector.model_extra or {}).get("dateUpdate"))
        for moment in (text for text in moments if _is_later(text, created)):
            findings.append(
                rules.CONNECTOR_NEWER.finding(
                    f"connector {connector.id}",
                    moment=moment,
                    created=created,
                    call=call("connector_get", id=connector.id),
                )
            )
    if troubled and source is not None and _is_later(source.date_update, created):
        findings.append(
            rules.SOURCE_NEWER.finding(
                f"source {source.id}",
                moment=source.date_update,
                created=created,
                call=call("source_get", id=source.id),
            )
        )
    return findings


def _is_later(moment: object, than: str | None) -> bool:
    """Moments of one portal compare as text; anything else is not compared."""
    if not isinstance(moment, str) or than is None:
        return False
    return bool(_MOMENT.fullmatch(moment) and _MOMENT.fullmatch(than)) and moment > than


def _check_active(source: Source, generation: PortalGeneration) -> Iterator[Finding]:
    if source.active is not False:
        return
    where = f"source {source.id}"
    if generation == "tables":
        yield rules.SOURCE_OFF_BY_HAND.finding(where)
    else:
        yield rules.SOURCE_OFF.finding(
            where, call=call("source_update", id=source.id, fields={"active": True})
        )


def _check_settings(source: Source, connector: Connector) -> Iterator[Finding]:
    if source.settings is None or connector.settings is None:
        return
    held = {setting.code: setting for setting in source.settings}
    declared = [parameter.code for parameter in connector.settings]
    missing = [code for code in declared if code not in held]
    empty = [code for code in declared if code in held and not held[code].value]
    lost = [setting for code, setting in held.items() if code not in declared]
    if missing:
        yield rules.SETTINGS_MISSING.finding(
            f"source {source.id}",
            codes=", ".join(missing),
            advice=_values_wanted(source, connector, missing),
            call=_setting_call(source.id, connector, missing),
        )
    if empty:
        perhaps = say("If the connector needs them:")
        yield rules.SETTINGS_EMPTY.finding(
            f"source {source.id}",
            codes=", ".join(empty),
            advice=f"{perhaps} {_values_wanted(source, connector, empty)}",
            call=_setting_call(source.id, connector, empty),
        )
    if lost:
        yield _lost_parameters(source, connector, lost)


def _values_wanted(source: Source, connector: Connector, codes: list[str]) -> str:
    """Say where the person puts the values, by reference: stored under a name, or in a variable, with the names that `_setting_call` uses."""
    references = _references(source.id, connector, codes).values()
    stored = [reference["secret"] for reference in references if "secret" in reference]
    variables = [reference["env"] for reference in references if "env" in reference]
    public = [code for code in codes if _is_shown(connector, code)]
    sentences = []
    if stored:
        hosts = _hosts(connector)
        commands = ", ".join(str(advise_store(AdviceKind.STORE_COMMAND, name, hosts)) for name in stored)
        sentences.append(str(advise(AdviceKind.STORE_VALUES, commands=commands, env_prefix=ENV_PREFIX)))
    if variables:
        names = ", ".join(variables)
        sentences.append(say("What is not secret goes into {names}, or is given as it is.", names=names))
    if public:
        sentences.append(
            say("Ask the person for these values and pass them as text: {codes}.", codes=", ".join(public))
        )
    return " ".join(sentences)


def _setting_call(source_id: int, connector: Connector, codes: list[str]) -> dict[str, object] | None:
    references = _references(source_id, connector, codes)
    if not references:
        return None
    return call("source_update", id=source_id, fields={"settings": references})


def _references(source_id: int, connector: Connector, codes: list[str]) -> dict[str, dict[str, str]]:
    titles = {parameter.code: parameter.name or "" for parameter in connector.settings or ()}
    # A reference for a value that may be shown is refused.
    codes = [code for code in codes if not _is_shown(connector, code)]
    names = variable_names(codes)
    # Variables of a server that people sign in to are not theirs.
    stored_only = current_caller().person is not None
    return {
        code: {"secret": f"source-{source_id}-{name.lower().replace('_', '-')}"}
        if stored_only or looks_secret(code, titles.get(code, ""))
        else {"env": f"{ENV_PREFIX}{name}"}
        for code, name in zip(codes, names, strict=True)
    }


def _is_shown(connector: Connector, code: str) -> bool:
    titles = {parameter.code: parameter.name or "" for parameter in connector.settings or ()}
    return is_harmless(code, titles.get(code, ""))


def _hosts(connector: Connector) -> list[str]:
    """The hosts to which the values are sent. Where the addresses do not show it, the person names the host."""
    try:
        return find_destinations(addresses_of(connector), f"connector {connector.id}")
    except SecretReferenceError:
        return ["HOST"]


def _lost_parameters(source: Source, connector: Connector, lost: list[SourceSetting]) -> Finding:
    declared = [
        {"code": parameter.code, "name": parameter.name or parameter.code, "type": parameter.type or "STRING"}
        for parameter in connector.settings or ()
    ]
    again = [
        {"code": setting.code, "name": setting.name or setting.code, "type": setting.type or "STRING"}
        for setting in lost
    ]
    return rules.SETTINGS_UNDECLARED.finding(
        f"connector {connector.id}",
        id=source.id,
        codes=", ".join(setting.code for setting in lost),
        call=call("connector_update", id=connector.id, fields={"settings": [*declared, *again]}),
    )
