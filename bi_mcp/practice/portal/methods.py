"""The portal's own table of methods: their names, and the functions that answer them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from bi_mcp.practice.portal.connectors import ConnectorMethods
from bi_mcp.practice.portal.context import Context, Handler
from bi_mcp.practice.portal.datasets import DatasetMethods
from bi_mcp.practice.portal.identity import SCOPE
from bi_mcp.practice.portal.sources import SourceMethods
from bi_mcp.practice.portal.system import SystemMethods

_READS = frozenset({"get", "list", "fields"})
# Any of them shows the names and the departments of users.
USER_SCOPES = frozenset({"user", "user_brief", "user_basic"})


@dataclass(frozen=True)
class PortalMethod:
    """A method of the portal. `scopes`: the credential must have one of them; `webhook`: an incoming webhook may call it.

    `changes`: the user must be allowed to change things.
    """

    handler: Handler
    scopes: frozenset[str] = frozenset({SCOPE})
    webhook: bool = False
    changes: bool = False


def build_methods(context: Context) -> Mapping[str, PortalMethod]:
    """Build the table: 19 methods on a classic portal, 26 on one with tables, and the few of the system."""
    groups = {"connector": _connectors(context), "source": _sources(context)}
    datasets = DatasetMethods(context)
    if context.generation == "classic":
        groups["dataset"] = _datasets(datasets)
    else:
        groups["dataset"] = _datasets(datasets) | {"delete": datasets.break_down}
        groups["table"] = _datasets(datasets) | {"add": datasets.add_table}
    module = {
        # Only the `*.fields` methods, which take no parameters, are open to a webhook.
        f"biconnector.{group}.{action}": PortalMethod(
            handler, webhook=action == "fields", changes=action not in _READS
        )
        for group, actions in groups.items()
        for action, handler in actions.items()
    }
    return module | _system(SystemMethods(context))


def _connectors(context: Context) -> dict[str, Handler]:
    connectors = ConnectorMethods(context)
    return {
        "add": connectors.add,
        "update": connectors.update,
        "get": connectors.get,
        "list": connectors.page,
        "delete": connectors.delete,
        "fields": connectors.fields,
    }


def _sources(context: Context) -> dict[str, Handler]:
    sources = SourceMethods(context)
    return {
        "add": sources.add,
        "update": sources.update,
        "get": sources.get,
        "list": sources.page,
        "delete": sources.delete,
        "fields": sources.fields,
    }


def _datasets(datasets: DatasetMethods) -> dict[str, Handler]:
    return {
        "add": datasets.add,
        "update": datasets.update,
        "get": datasets.get,
        "list": datasets.page,
        "delete": datasets.delete,
        "fields": datasets.fields,
        "fields.update": datasets.update_fields,
    }


def _system(system: SystemMethods) -> dict[str, PortalMethod]:
    handlers: dict[str, Handler] = {
        "app.info": system.app_info,
        "profile": system.profile,
        "scope": system.scope,
        "server.time": system.server_time,
    }
    open_to_all = {
        name: PortalMethod(handler, scopes=frozenset(), webhook=True) for name, handler in handlers.items()
    }
    return open_to_all | {"user.current": PortalMethod(system.user, scopes=USER_SCOPES, webhook=True)}
