"""The `*.fields` answers that this version was built for, from section 4 of the API reference. Data, and a comparison."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from bi_mcp.base.language import say, text
from bi_mcp.diagnostics.findings import status_rules as rules

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bi_mcp.diagnostics.findings.finding import Finding
    from bi_mcp.rest.models import FieldDescription


class KnownField(NamedTuple):
    """`rule`: R required on creation, RO read only, or neither; `newer`: only on newer portals."""

    type: str
    rule: str = ""
    immutable: bool = False
    newer: bool = False


KNOWN_FIELDS: Mapping[str, Mapping[str, KnownField]] = {
    "connector": {
        "id": KnownField("integer", "RO"),
        "title": KnownField("string", "R"),
        "logo": KnownField("string", "R"),
        "description": KnownField("string"),
        "sort": KnownField("integer"),
        "urlCheck": KnownField("string", "R"),
        "urlTableList": KnownField("string", "R"),
        "urlTableDescription": KnownField("string", "R"),
        "urlData": KnownField("string", "R"),
        "settings": KnownField("array", "R"),
        "supportMapping": KnownField("boolean", newer=True),
        "sourceCode": KnownField("string", newer=True),
        "dateCreate": KnownField("datetime", "RO"),
    },
    "source": {
        "id": KnownField("integer", "RO"),
        "title": KnownField("string", "R"),
        "type": KnownField("string", "RO"),
        "code": KnownField("string", "RO"),
        "description": KnownField("string"),
        "active": KnownField("boolean"),
        "dateCreate": KnownField("datetime", "RO"),
        "dateUpdate": KnownField("datetime", "RO"),
        "createdById": KnownField("integer", "RO"),
        "updatedById": KnownField("integer", "RO"),
        "connectorId": KnownField("integer", "R", immutable=True),
        "settings": KnownField("array", "R"),
    },
    "dataset": {
        "id": KnownField("integer", "RO"),
        "sourceId": KnownField("integer", "R", immutable=True),
        "type": KnownField("string", "RO"),
        "name": KnownField("string", "R", immutable=True),
        "description": KnownField("string"),
        "externalCode": KnownField("string", "R", immutable=True),
        "externalName": KnownField("string", "R", immutable=True),
        "externalId": KnownField("integer", "RO"),
        "dateCreate": KnownField("datetime", "RO"),
        "dateUpdate": KnownField("datetime", "RO"),
        "createdById": KnownField("integer", "RO"),
        "updatedById": KnownField("integer", "RO"),
        "fields": KnownField("array", "R"),
    },
}


def check_fields(group: str, described: Sequence[FieldDescription]) -> list[Finding]:
    """Name the fields that are new, missing or different from what this version was built for."""
    known, answered = KNOWN_FIELDS[group], {field.title: field for field in described}
    new = [name for name in answered if name not in known]
    missing = [name for name, field in known.items() if name not in answered and not field.newer]
    changed = [
        f"{name} ({difference})"
        for name, field in answered.items()
        if name in known and (difference := _difference(known[name], field))
    ]
    results = ((rules.FIELDS_NEW, new), (rules.FIELDS_GONE, missing), (rules.FIELDS_CHANGED, changed))
    return [kind.finding(f"{group}.fields", names=", ".join(names)) for kind, names in results if names]


def _difference(known: KnownField, field: FieldDescription) -> str:
    differences = (
        (text("type is {now}, was {was}"), known.type, field.type),
        (text("required is {now}, was {was}"), known.rule == "R", field.required_on_creation),
        (text("read only is {now}, was {was}"), known.rule == "RO", field.is_read_only),
        (text("immutable is {now}, was {was}"), known.immutable, field.is_immutable),
    )
    return ", ".join(say(what, now=now, was=was) for what, was, now in differences if was != now)
