"""A portal -> a setup. A value that could be a secret becomes a reference; a field with its default value is left out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar

from pydantic import ValidationError

from bi_mcp.base.language import say
from bi_mcp.errors import PlanError, SecretReferenceError
from bi_mcp.rest.kinds import KINDS, Group
from bi_mcp.rest.models.connector import ADDRESSES
from bi_mcp.setup.keys import make_setup_key
from bi_mcp.setup.setup import ConnectorEntry, DatasetEntry, Setup, SetupEntry, SourceEntry
from bi_mcp.vault.destinations import find_destinations
from bi_mcp.vault.known_values import NOTHING_KNOWN
from bi_mcp.vault.secret_parameters import may_show
from bi_mcp.vault.setting_values import ENV_PREFIX, EnvReference, SecretReference, SettingValue
from bi_mcp.vault.travel import addresses_of

if TYPE_CHECKING:
    from bi_mcp.base.secret import Secret
    from bi_mcp.rest.generation import PortalGeneration
    from bi_mcp.rest.models import Connector, Dataset, Source, SourceSetting
    from bi_mcp.rest.snapshot import Snapshot
    from bi_mcp.setup.state import State
    from bi_mcp.vault.known_values import KnownValues

Entry = TypeVar("Entry", bound=SetupEntry)

_DEFAULT_SORT = 100


@dataclass(frozen=True)
class Exported:
    """The setup, the state that goes with it, and what could not be written, each as a sentence."""

    setup: Setup
    keys: Mapping[Group, Mapping[int, str]]
    left_out: Sequence[str] = ()


@dataclass(frozen=True)
class ExportedReference:
    """A reference that a file has already, and the value that it refers to, None where that cannot be found here."""

    value: SettingValue
    secret: Secret | None


@dataclass
class _Export:
    snapshot: Snapshot
    state: State
    shown: frozenset[str]
    generation: PortalGeneration
    references: Mapping[tuple[str, str], ExportedReference]
    known: KnownValues
    stored_only: bool = False
    keys: dict[Group, dict[int, str]] = field(default_factory=dict)
    left_out: list[str] = field(default_factory=list)
    variables: set[str] = field(default_factory=set)


def export_setup(
    snapshot: Snapshot,
    state: State,
    *,
    shown_settings: frozenset[str] = frozenset(),
    generation: PortalGeneration = "tables",
    references: Mapping[tuple[str, str], ExportedReference] | None = None,
    known: KnownValues = NOTHING_KNOWN,
    stored_only: bool = False,
) -> Exported:
    """Write down everything of a snapshot. Keys that the state knows stay.

    `shown_settings` are codes of settings whose values may be written as they are; `references`, by source key and code, stay.
    A value that is `known` to come from a reference is never written: it is referred to, by the name of the stored secret
    where that is bound to where the connector leads. `stored_only`: other values are referred to as secrets that could be
    stored, not as variables.
    """
    export = _Export(snapshot, state, shown_settings, generation, references or {}, known, stored_only)
    if stored_only:
        # What is stored under the name has another value.
        export.variables.update(secret.name for secret, _ in known.stored.present)
    # A variable that is used for one value already must not be used for another.
    export.variables.update(
        reference.value.env.removeprefix(ENV_PREFIX).lower()
        for reference in export.references.values()
        if isinstance(reference.value, EnvReference)
    )
    export.keys.update((group, _keys(group, snapshot, state)) for group in KINDS)
    connectors = {key: _connector(snapshot.connectors[id]) for id, key in export.keys["connector"].items()}
    sources = {key: _source(snapshot.sources[id], key, export) for id, key in export.keys["source"].items()}
    kept_sources = {key: entry for key, entry in sources.items() if entry is not None}
    datasets = {
        key: _dataset(snapshot.datasets[id], key, kept_sources, export)
        for id, key in export.keys["dataset"].items()
    }
    setup = Setup(
        version=1,
        connectors=connectors,
        sources=kept_sources,
        datasets={key: entry for key, entry in datasets.items() if entry is not None},
    )
    return Exported(setup, export.keys, export.left_out)


def _keys(group: Group, snapshot: Snapshot, state: State) -> dict[int, str]:
    items = snapshot.of(group)
    known = {item.id: key for key, item in state.known(group).items() if item.id in items}
    taken = set(known.values())
    keys = dict[int, str]()
    for id, item in items.items():
        keys[id] = known.get(id) or make_setup_key(item.label, group, taken)
        taken.add(keys[id])
    return keys


def _connector(item: Connector) -> ConnectorEntry:
    _check_addresses(item)
    fields = item.model_dump(
        mode="json",
        by_alias=True,
        exclude_none=True,
        include=set(ConnectorEntry.model_fields) - {"settings", "support_mapping", "source_code", "sort"},
    )
    parameters = [
        {"code": parameter.code, "name": parameter.name or parameter.code, "type": parameter.type or "STRING"}
        for parameter in item.settings or ()
    ]
    unusual = {
        "sort": item.sort if item.sort != _DEFAULT_SORT else None,
        "supportMapping": item.support_mapping or None,
        "sourceCode": item.source_code or None,
    }
    return _build_entry(ConnectorEntry, "connector", item.id, fields | unusual | {"settings": parameters})


def _source(item: Source, key: str, export: _Export) -> SourceEntry | None:
    connector = export.keys["connector"].get(item.connector_id or 0)
    if connector is None:
        export.left_out.append(
            say(
                "Source {id} is left out: its connector {connector} does not exist or belongs to another application.",
                id=item.id,
                connector=item.connector_id,
            )
        )
        return None
    declared = {
        parameter.code for parameter in export.snapshot.connectors[item.connector_id or 0].settings or ()
    }
    held = {setting.code: setting for setting in item.settings or () if setting.code in declared}
    lost = [setting.code for setting in item.settings or () if setting.code not in declared and setting.value]
    if lost:
        export.left_out.append(
            say(
                "sources.{key}: values of {codes} are left out: the connector no longer declares them.",
                key=key,
                codes=", ".join(lost),
            )
        )
    settings = {
        code: _value(key, setting, export.snapshot.connectors[item.connector_id or 0], export)
        for code, setting in held.items()
        if setting.value
    }
    fields = {"title": item.title, "description": item.description, "connector": connector}
    inactive = {"active": False} if item.active is False and export.generation == "classic" else {}
    return _build_entry(SourceEntry, "source", item.id, fields | inactive | {"settings": settings})


def _value(source: str, setting: SourceSetting, connector: Connector, export: _Export) -> SettingValue:
    reference = export.references.get((source, setting.code))
    if reference is not None:
        if reference.secret is not None and reference.secret != setting.value:
            export.left_out.append(
                say(
                    "sources.{key}.settings.{code}: the value on the portal differs from the one that the file refers to.",
                    key=source,
                    code=setting.code,
                )
            )
        return reference.value
    if may_show(setting.code, setting.name or "", setting.value, export.shown):
        if not export.known.may_hold(setting.value):
            return setting.value.reveal()
        export.left_out.append(
            say(
                "sources.{key}.settings.{code}: the value is not written, because a secret of this computer has or had the same value, or could not be read for comparison. Write the value as text if it is not a secret.",
                key=source,
                code=setting.code,
            )
        )
    name = _stored_name(setting, connector, export)
    if name is not None:
        return SecretReference(secret=name)
    variable = make_setup_key(f"{source}_{setting.code}", "value", export.variables)
    export.variables.add(variable)
    if export.stored_only:
        return SecretReference(secret=variable)
    return EnvReference(env=f"{ENV_PREFIX}{variable.upper()}")


def _stored_name(setting: SourceSetting, connector: Connector, export: _Export) -> str | None:
    """The name of a stored secret that has this value and may go where the connector leads."""
    try:
        hosts = find_destinations([getattr(connector, name) or "" for name in ADDRESSES], setting.code)
    except SecretReferenceError:
        return None
    return next(
        (
            secret.name
            for secret, value in export.known.stored.present
            if value == setting.value and all(secret.may_go_to(host) for host in hosts)
        ),
        None,
    )


def _dataset(
    item: Dataset, key: str, sources: Mapping[str, SourceEntry], export: _Export
) -> DatasetEntry | None:
    source = export.keys["source"].get(item.source_id or 0)
    if source not in sources or not item.fields:
        reason = (
            say("it has no columns")
            if source in sources
            else say("its source {id} is not in the file", id=item.source_id)
        )
        export.left_out.append(say("Dataset {id} is left out: {reason}.", id=item.id, reason=reason))
        return None
    fields = {
        "source": source,
        "name": item.name if item.name != key else None,
        "externalCode": item.external_code,
        "externalName": item.external_name,
        "description": item.description,
    }
    columns = [
        {
            "name": column.name,
            "externalCode": column.external_code,
            "type": column.type,
            "visible": column.visible is not False,
        }
        for column in item.fields
    ]
    alone = {"builderDataset": False} if export.generation == "tables" and item.external_id == 0 else {}
    return _build_entry(DatasetEntry, "dataset", item.id, fields | alone | {"columns": columns})


def _check_addresses(item: Connector) -> None:
    held = [address for address in addresses_of(item) if "@" in address.partition("://")[2].partition("/")[0]]
    if held:
        raise PlanError(
            say(
                "connector {id}: one of its addresses contains a user or a password before the host, and a file must not contain any. Write the addresses without it, declare a parameter for it, then export again.",
                id=item.id,
            )
        )


def _build_entry(entry: type[Entry], group: Group, id: int, fields: Mapping[str, object]) -> Entry:
    try:
        return entry.model_validate(
            {name: value for name, value in fields.items() if value not in (None, "")}
        )
    except ValidationError as error:
        problems = error.errors(include_url=False, include_input=False, include_context=False)
    # A rule about the object as a whole has no place, and says itself what it is about.
    where = {
        ".".join(map(str, each["loc"])) or each["msg"].removeprefix("Value error, ") for each in problems
    }
    raise PlanError(
        say(
            "{group} {id} has values that a setup cannot hold: {where}. Correct them on the portal, then export again.",
            group=group,
            id=id,
            where=", ".join(sorted(where)),
        )
    )
