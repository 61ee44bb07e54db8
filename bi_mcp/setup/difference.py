"""Pure: the differences between an object of a setup and the portal's, and who made them.

Values of settings are compared here and never shown: they match, they differ, or it cannot be known.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bi_mcp.base.secret import Secret
from bi_mcp.errors import BiMcpError
from bi_mcp.setup.plan import NO_COLUMNS, ColumnChange, FieldChange
from bi_mcp.setup.setup import ColumnEntry, ConnectorEntry, DatasetEntry, SourceEntry
from bi_mcp.setup.state import digest

if TYPE_CHECKING:
    from collections.abc import Callable

    from bi_mcp.rest.models import Column, Connector, Dataset, Parameter, ReceivedParameter, Source
    from bi_mcp.vault.setting_values import SettingValue

HIDDEN = "(hidden)"

# Fields that a portal may store in another form than they were sent; with a state the file decides alone.
_REWRITTEN = frozenset({"logo"})
# Portals answer these values for fields that were never set.
_UNSET: Mapping[str, object] = {"description": "", "sort": 100, "supportMapping": False, "sourceCode": ""}

Wire = Mapping[str, Any]


@dataclass(frozen=True)
class Comparison:
    """The differences, and the fields that could not be compared or have no value here, each as the end of a sentence."""

    fields: tuple[FieldChange, ...]
    columns: ColumnChange = NO_COLUMNS
    unknown: tuple[str, ...] = ()


def compare_connector(entry: ConnectorEntry, item: Connector, applied: Mapping[str, str]) -> Comparison:
    """`applied` are the digests of what bi-mcp last left there."""
    wanted = {name: value for name, value in wire(entry).items() if name != "settings"}
    held = item.model_dump(mode="json", by_alias=True)
    declared, known = _parameters(entry.settings), _parameters(item.settings or ())
    fields = [
        *_differing(wanted, held, applied),
        *_differing_parts("settings", declared, known, applied),
    ]
    return Comparison(tuple(fields))


def compare_source(
    entry: SourceEntry,
    item: Source,
    applied: Mapping[str, str],
    reveal: Callable[[str, SettingValue], Secret],
    *,
    active_counts: bool,
) -> Comparison:
    """`reveal` finds the value behind a reference. `active_counts` is False on portals that ignore `active`."""
    skipped = {"connector", "settings"} | (set() if active_counts else {"active"})
    wanted = {name: value for name, value in wire(entry).items() if name not in skipped}
    held = item.model_dump(mode="json", by_alias=True, include={"title", "description", "active"})
    values = {setting.code: setting.value for setting in item.settings or ()}
    fields, unknown = list(_differing(wanted, held, applied)), list[str]()
    for code, value in entry.settings.items():
        try:
            secret = reveal(code, value)
        except BiMcpError as error:
            unknown.append(str(error))
            continue
        if code not in values or values[code] != secret:
            before = HIDDEN if values.get(code) else None
            # A literal value is hidden, even though the file shows it.
            after = HIDDEN if isinstance(value, str | int) else value.model_dump()
            fields.append(FieldChange(f"settings.{code}", before, after))
    return Comparison(tuple(fields), unknown=tuple(unknown))


def compare_dataset(entry: DatasetEntry, item: Dataset, applied: Mapping[str, str]) -> Comparison:
    """The description and the columns; everything else is set once, see `immutable_differences`."""
    wanted = {"description": entry.description} if entry.description is not None else {}
    fields = list(_differing(wanted, {"description": item.description}, applied))
    columns = compare_columns(entry.columns, item.fields or ())
    fields.extend(_column_fields(entry.columns, item.fields or (), applied))
    return Comparison(tuple(fields), columns)


def immutable_differences(
    key: str, entry: DatasetEntry, item: Dataset, source_id: int | None
) -> Iterator[FieldChange]:
    """Differences of a dataset that can only be applied by making it again. `source_id` is None for a source that is still to be made."""
    pairs = {
        "name": (item.name, entry.name or key),
        "source": (item.source_id, source_id),
        "externalCode": (item.external_code, entry.external_code),
        "externalName": (item.external_name, entry.external_name),
    }
    for field, (before, after) in pairs.items():
        # If a portal does not answer a field, that is not a reason to delete anything.
        if before is not None and not _same(before, after):
            yield FieldChange(field, before, after)


def compare_columns(wanted: Iterable[ColumnEntry], there: Iterable[Column]) -> ColumnChange:
    """Compare columns by their external codes. One whose name or type differs is deleted and added again."""
    by_code = {column.external_code: column for column in there}
    delete, add, show = list[tuple[int, str]](), list[ColumnEntry](), list[tuple[int, bool]]()
    for entry in wanted:
        column = by_code.pop(entry.external_code, None)
        if column is None:
            add.append(entry)
        elif (column.name, column.type) != (entry.name, entry.type):
            delete.append((column.id, column.name or ""))
            add.append(entry)
        elif column.visible is not None and column.visible != entry.visible:
            show.append((column.id, entry.visible))
    delete.extend((column.id, column.name or "") for column in by_code.values())
    return ColumnChange(tuple(delete), tuple(add), tuple(show))


def digests(entry: ConnectorEntry | SourceEntry | DatasetEntry) -> dict[str, str]:
    """The digests of an entry that the state holds once it was applied. Values of settings are never digested."""
    fields = wire(entry)
    if isinstance(entry, SourceEntry):
        plain = {name: fields[name] for name in fields if name not in {"connector", "settings"}}
    elif isinstance(entry, ConnectorEntry):
        plain = {name: fields[name] for name in fields if name != "settings"}
        plain |= {f"settings.{code}": value for code, value in _parameters(entry.settings).items()}
    else:
        plain = {name: fields[name] for name in fields if name == "description"}
        plain |= {f"columns.{column.name}": _column(column) for column in entry.columns}
    return {name: digest(_normal(value)) for name, value in plain.items()}


def wire(entry: ConnectorEntry | SourceEntry | DatasetEntry) -> dict[str, Any]:
    """The fields of an entry, as the API spells them."""
    return entry.model_dump(mode="json", by_alias=True, exclude_none=True)


def _differing(wanted: Wire, held: Wire, applied: Mapping[str, str]) -> Iterator[FieldChange]:
    for name, value in wanted.items():
        before = held.get(name)
        before = _UNSET.get(name) if before is None else before
        if _same(value, before) or (name in _REWRITTEN and applied.get(name) == digest(_normal(value))):
            continue
        yield FieldChange(name, before, value, _has_drifted(name, before, applied))


def _differing_parts(
    prefix: str, wanted: Wire, held: Wire, applied: Mapping[str, str]
) -> Iterator[FieldChange]:
    for part in dict.fromkeys([*wanted, *held]):
        before, after = held.get(part), wanted.get(part)
        name = f"{prefix}.{part}"
        if before != after:
            yield FieldChange(name, before, after, _has_drifted(name, before, applied))


def _column_fields(
    wanted: Iterable[ColumnEntry], there: Iterable[Column], applied: Mapping[str, str]
) -> Iterator[FieldChange]:
    held = {
        column.name or "": {
            "externalCode": column.external_code,
            "type": column.type,
            "visible": column.visible is not False,
        }
        for column in there
    }
    yield from _differing_parts("columns", {entry.name: _column(entry) for entry in wanted}, held, applied)


def _parameters(settings: Iterable[Parameter | ReceivedParameter]) -> dict[str, object]:
    return {each.code: {"name": each.name, "type": each.type} for each in settings}


def _column(entry: ColumnEntry) -> dict[str, object]:
    return {"externalCode": entry.external_code, "type": entry.type, "visible": entry.visible}


def _has_drifted(name: str, before: object, applied: Mapping[str, str]) -> bool:
    """Return whether this field, or the whole object, was changed since bi-mcp last applied it."""
    if not applied:
        return False
    if name not in applied:
        # It was not managed, or not there, when bi-mcp applied the object; only new parts of it were made by others.
        return before is not None and "." in name
    return applied[name] != digest(_normal(before))


def _same(one: object, other: object) -> bool:
    return _normal(one) == _normal(other)


def _normal(value: object) -> object:
    """Portals store text without its outer spaces."""
    return value.strip() if isinstance(value, str) else value
