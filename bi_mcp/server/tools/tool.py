"""The declaration of a tool: a small typed function, a title, hints from the table of REST methods, and schemas."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import get_args, get_type_hints

from mcp.server.mcpserver.tools import Tool
from mcp.types import InputRequiredResult, ToolAnnotations

from bi_mcp.rest.methods import METHODS, TABLE_METHODS, Effect
from bi_mcp.server.tools.answers import Answer
from bi_mcp.server.tools.schema import slim, slim_answer
from bi_mcp.server.tools.schemas import Schemas
from bi_mcp.server.tools.synonyms import find_meant

# Of every tool, where there is more than one portal.
PORTAL = "portal"

_METHOD_OF_TOOL = {method.tool: method for method in METHODS + TABLE_METHODS}


@dataclass(frozen=True)
class ToolDeclaration:
    """A tool: the function, whose name, signature and docstring the model sees, and its title for people."""

    # It answers, or returns a question to the person; the client then calls again with what they said.
    function: Callable[..., Awaitable[Answer | InputRequiredResult]]
    title: str
    # Where the function's own name and docstring are not the tool's.
    own_name: str | None = None
    own_description: str | None = None
    # For tools that are not REST methods; the others have theirs in the table.
    own_effect: Effect | None = None
    # The `ui://` address of the view that shows the answer to people, in clients that have the Apps extension.
    view: str | None = None
    # A call with nothing but these arguments only reads, whatever others may do.
    reads_with: frozenset[str] = frozenset()

    @property
    def name(self) -> str:
        """The name of the tool."""
        return self.own_name or self.function.__name__

    @property
    def group(self) -> str:
        """The kind of object that the tool is about, by the first word of its name: `connector`, `table` …"""
        return self.name.partition("_")[0]

    @property
    def lists(self) -> bool:
        """True if it lists objects of its group."""
        return self.name == f"{self.group}_list" and self.name in _METHOD_OF_TOOL

    @property
    def description(self) -> str:
        """The description for the model, in one line."""
        return " ".join((self.own_description or self.function.__doc__ or "").split())

    @property
    def key(self) -> str:
        """The key of its shipped schemas: two modules may have a tool of the same name."""
        return f"{self.function.__module__.rpartition('.')[2]}.{self.name}"

    @property
    def answer(self) -> type[Answer]:
        """The type of answer that the function returns, by its annotation."""
        returned = get_type_hints(self.function)["return"]
        kinds: tuple[type, ...] = get_args(returned) or (returned,)
        return next(kind for kind in kinds if issubclass(kind, Answer))

    @property
    def effect(self) -> Effect:
        """The effect of a call on the portal."""
        return self.own_effect or _METHOD_OF_TOOL[self.name].effect

    @property
    def repeatable(self) -> bool:
        """True if calling twice leaves the portal as calling once does."""
        method = _METHOD_OF_TOOL.get(self.name)
        return method.repeatable if method else self.effect is Effect.READ

    def reads(self, arguments: Mapping[str, object]) -> bool:
        """Return whether this call only reads, by whatever names it gives its arguments. One of null counts as left out."""
        given = {name for name, value in arguments.items() if value is not None} - {PORTAL}
        harmless: dict[str, dict[str, object]] = {name: {} for name in self.reads_with}
        only_these = all(find_meant(harmless, name, self.group) for name in given)
        return self.effect is Effect.READ or (bool(self.reads_with) and only_these)


def make_schemas(declaration: ToolDeclaration) -> Schemas:
    """Make the schemas of a tool from its function's signature; slow, so the shipped ones are used where there are any."""
    # The SDK would build a validator and a schema per tool; answers are models already, and share their types.
    parameters = Tool.from_function(declaration.function, structured_output=False).parameters
    answer = declaration.answer.model_json_schema(by_alias=True, mode="serialization")
    return Schemas({"additionalProperties": False, **slim(parameters)}, slim_answer(answer))


def build_hints(declaration: ToolDeclaration) -> ToolAnnotations:
    """Build the hints. Only additions and reads are not destructive: an update overwrites the former values."""
    if declaration.effect is Effect.READ:
        # A read may always be repeated, so the protocol gives the hint no meaning there.
        return ToolAnnotations(read_only_hint=True, destructive_hint=False)
    return ToolAnnotations(
        read_only_hint=False,
        destructive_hint=declaration.effect in {Effect.UPDATE, Effect.DELETE},
        idempotent_hint=declaration.repeatable,
    )
