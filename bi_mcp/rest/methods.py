"""The REST methods of the BIconnector module. Data only: tool hints, retry safety, family choice and docs derive from it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from bi_mcp.rest.kinds import Group


class Effect(Enum):
    """Effect of a call on the portal."""

    READ = "read"
    CREATE = "create"
    UPDATE = "update"
    DELETE = "delete"


@dataclass(frozen=True)
class Method:
    """One REST method.

    `repeatable`: sending the same call twice leaves the portal as sending it once does.
    `webhook`: an incoming webhook may call it; all others need an application's token.
    """

    name: str
    effect: Effect
    repeatable: bool = True
    webhook: bool = False

    @property
    def group(self) -> str:
        """`connector`, `source`, `dataset` or `table`; for a method outside the groups, its own name."""
        return self.name.split(".")[1] if "." in self.name else self.name

    @property
    def kind(self) -> Group:
        """The kind of objects that it is about. The newer family calls a dataset a table."""
        return cast("Group", "dataset" if self.group == "table" else self.group)

    @property
    def operation(self) -> str:
        """The name within its group: `add`, `fields.update` …"""
        return self.name.split(".", 2)[-1]

    @property
    def tool(self) -> str:
        """The name of its MCP tool: without the module's prefix, dots as underscores."""
        return self.name.removeprefix("biconnector.").replace(".", "_")

    @property
    def documentation(self) -> str:
        """The vendor's page about the method."""
        page = self.name.replace(".", "-")
        return f"https://apidocs.bitrix24.com/api-reference/biconnector/{self.group}/{page}.html"


METHODS: tuple[Method, ...] = (
    Method("biconnector.connector.add", Effect.CREATE, repeatable=False),
    Method("biconnector.connector.update", Effect.UPDATE),
    Method("biconnector.connector.get", Effect.READ),
    Method("biconnector.connector.list", Effect.READ),
    Method("biconnector.connector.delete", Effect.DELETE),
    Method("biconnector.connector.fields", Effect.READ, webhook=True),
    Method("biconnector.source.add", Effect.CREATE, repeatable=False),
    Method("biconnector.source.update", Effect.UPDATE),
    Method("biconnector.source.get", Effect.READ),
    Method("biconnector.source.list", Effect.READ),
    Method("biconnector.source.delete", Effect.DELETE),
    Method("biconnector.source.fields", Effect.READ, webhook=True),
    Method("biconnector.dataset.add", Effect.CREATE, repeatable=False),
    Method("biconnector.dataset.update", Effect.UPDATE),
    Method("biconnector.dataset.get", Effect.READ),
    Method("biconnector.dataset.list", Effect.READ),
    Method("biconnector.dataset.delete", Effect.DELETE),
    Method("biconnector.dataset.fields", Effect.READ, webhook=True),
    Method("biconnector.dataset.fields.update", Effect.UPDATE, repeatable=False),
)

# The newer family works on the same storage as `dataset.*`. The client chooses it by itself; tools of its own come on demand.
TABLE_METHODS: tuple[Method, ...] = (
    Method("biconnector.table.add", Effect.CREATE, repeatable=False),
    Method("biconnector.table.update", Effect.UPDATE),
    Method("biconnector.table.get", Effect.READ),
    Method("biconnector.table.list", Effect.READ),
    Method("biconnector.table.delete", Effect.DELETE),
    Method("biconnector.table.fields", Effect.READ, webhook=True),
    Method("biconnector.table.fields.update", Effect.UPDATE, repeatable=False),
)

# Up to 50 calls in one. Its effect is that of its commands: see `batch.batch_method`.
BATCH = Method("batch", Effect.UPDATE, repeatable=False)

# Outside the module: who calls, with which scopes, which application, the portal's clock, and what the portal knows of the caller.
SYSTEM_METHODS: tuple[Method, ...] = (
    Method("profile", Effect.READ, webhook=True),
    Method("scope", Effect.READ, webhook=True),
    Method("app.info", Effect.READ),
    Method("server.time", Effect.READ, webhook=True),
    Method("user.current", Effect.READ, webhook=True),
)

_BY_NAME = {method.name: method for method in METHODS + TABLE_METHODS}


def method(group: str, operation: str) -> Method:
    """Look a method up by group and operation, for example `method("source", "add")`."""
    return _BY_NAME[f"biconnector.{group}.{operation}"]
