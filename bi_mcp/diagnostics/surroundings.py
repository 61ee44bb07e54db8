"""What a dataset stands on: its source, the source's settings, and the connector that may have changed."""

from __future__ import annotations

import re
from collections.abc import Iterator

from bi_mcp.diagnostics.external import DatasetContext, Generation
from bi_mcp.diagnostics.finding import Finding
from bi_mcp.diagnostics.mending import call
from bi_mcp.diagnostics.naming import column_names
from bi_mcp.language import say
from bi_mcp.rest.models import Connector, Source, SourceSetting
from bi_mcp.setting_values import ENV_PREFIX

_MOMENT = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", re.ASCII)


def check_surroundings(
    source: Source | None, connector: Connector | None, generation: Generation
) -> list[Finding]:
    """What is not known of the source or the connector is not judged."""
    if source is None:
        return []
    findings = list(_check_active(source, generation))
    if connector is not None:
        findings.extend(_check_settings(source, connector))
    return findings


def check_dates(context: DatasetContext, *, troubled: bool) -> list[Finding]:
    """What changed since the dataset was made. A changed source explains nothing where there is no trouble."""
    created = context.dataset.date_create
    source, connector = context.source, context.connector
    findings = list[Finding]()
    if connector is not None:
        moments = (connector.date_create, (connector.model_extra or {}).get("dateUpdate"))
        for moment in (text for text in moments if _is_later(text, created)):
            findings.append(
                Finding(
                    level="note",
                    where=f"connector {connector.id}",
                    what=say(
                        "It was created or changed on {moment}, after the dataset (on {created}).",
                        moment=moment,
                        created=created,
                    ),
                    fix=say("Look whether its addresses still lead to the table's system."),
                    call=call("connector_get", id=connector.id),
                )
            )
    if troubled and source is not None and _is_later(source.date_update, created):
        findings.append(
            Finding(
                level="note",
                where=f"source {source.id}",
                what=say(
                    "It was changed on {moment}, after the dataset was made (on {created}).",
                    moment=source.date_update,
                    created=created,
                ),
                fix=say("Look whether its settings still lead to the table's system."),
                call=call("source_get", id=source.id),
            )
        )
    return findings


def _is_later(moment: object, than: str | None) -> bool:
    """Moments of one portal compare as text; anything else is not compared."""
    if not isinstance(moment, str) or than is None:
        return False
    return bool(_MOMENT.fullmatch(moment) and _MOMENT.fullmatch(than)) and moment > than


def _check_active(source: Source, generation: Generation) -> Iterator[Finding]:
    if source.active is not False:
        return
    by_hand = generation == "tables"
    yield Finding(
        level="error",
        where=f"source {source.id}",
        what=say("The source is switched off: its datasets get no data."),
        fix=say("Switch it on in the portal's web interface; newer portals ignore active in source_update.")
        if by_hand
        else say("Switch it on."),
        call=None if by_hand else call("source_update", id=source.id, fields={"active": True}),
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
        yield Finding(
            level="warning",
            where=f"source {source.id}",
            what=say(
                "It has no value for parameters that the connector declares: {codes}.",
                codes=", ".join(missing),
            ),
            fix=say("Put the values into the named variables of the server's environment, then pass them."),
            call=_setting_call(source.id, missing),
        )
    if empty:
        yield Finding(
            level="note",
            where=f"source {source.id}",
            what=say("Parameters without a value: {codes}.", codes=", ".join(empty)),
            fix=say(
                "If the connector needs them, put the values into the named variables of the server's environment."
            ),
            call=_setting_call(source.id, empty),
        )
    if lost:
        yield _lost_parameters(source, connector, lost)


def _setting_call(source_id: int, codes: list[str]) -> dict[str, object]:
    names = column_names([(code, "") for code in codes])
    references = {code: {"env": f"{ENV_PREFIX}{name.name}"} for code, name in zip(codes, names, strict=True)}
    return call("source_update", id=source_id, fields={"settings": references})


def _lost_parameters(source: Source, connector: Connector, lost: list[SourceSetting]) -> Finding:
    declared = [
        {"code": parameter.code, "name": parameter.name or parameter.code, "type": parameter.type or "STRING"}
        for parameter in connector.settings or ()
    ]
    again = [
        {"code": setting.code, "name": setting.name or setting.code, "type": setting.type or "STRING"}
        for setting in lost
    ]
    return Finding(
        level="warning",
        where=f"connector {connector.id}",
        what=say(
            "It no longer declares parameters that source {id} has values for: {codes}. They may no longer be sent.",
            id=source.id,
            codes=", ".join(setting.code for setting in lost),
        ),
        fix=say("If its endpoints still need them, declare them again."),
        call=call("connector_update", id=connector.id, fields={"settings": [*declared, *again]}),
    )
