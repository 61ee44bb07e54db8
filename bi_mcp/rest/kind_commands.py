"""Commands: the six methods that all kinds of objects share, checked and built, not sent."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Annotated, Generic, TypeVar

from pydantic import Field, ValidationError

from bi_mcp.base.language import say
from bi_mcp.errors import InvalidRequestError
from bi_mcp.rest.batch import Command
from bi_mcp.rest.envelope import unexpected_answer
from bi_mcp.rest.kinds import Changes, Group, Item, New, ObjectKind
from bi_mcp.rest.methods import method
from bi_mcp.rest.models.field import FieldDescription
from bi_mcp.rest.models.wire import Received, WireInt, parse_list

if TYPE_CHECKING:
    from bi_mcp.rest.methods import Method
    from bi_mcp.rest.query import Query

Parsed = TypeVar("Parsed", bound=Received)
Value = TypeVar("Value")


class KindCommands(Generic[Item, New, Changes]):
    """Commands for one kind of objects."""

    def __init__(self, kind: ObjectKind[Item, New, Changes]) -> None:
        self._kind = kind

    def add(self, fields: New) -> Command[int]:
        """Create an object; the value is its id."""
        return build_command(self._method("add"), parse_id, fields=fields.to_wire())

    def update(self, id: int, changes: Changes) -> Command[None]:
        """Change what `changes` holds and nothing else."""
        check_id(self._kind.name, id)
        fields = changes.to_wire()
        if not fields:
            raise InvalidRequestError(
                say("{group} {id}: nothing to change. Pass at least one field.", group=self._kind.name, id=id)
            )
        return build_command(self._method("update"), parse_true, id=id, fields=fields)

    def get(self, id: int) -> Command[Item]:
        """Read one object."""
        check_id(self._kind.name, id)

        def parse(called: Method, reply: object) -> Item:
            item = reply.get("item") if isinstance(reply, dict) else None
            return parse_model(called, self._kind.received, item)

        return build_command(self._method("get"), parse, id=id)

    def delete(self, id: int) -> Command[None]:
        """Delete one object."""
        check_id(self._kind.name, id)
        return build_command(self._method("delete"), parse_true, id=id)

    def page(self, query: Query) -> Command[list[Item]]:
        """Read one page of 50."""

        def parse(called: Method, reply: object) -> list[Item]:
            return parse_models(called, self._kind.received, reply)

        return build_command(self._method("list"), parse, **query.to_wire())

    def fields(self) -> Command[list[FieldDescription]]:
        """Describe the kind's fields."""
        return build_command(self._method("fields"), _parse_fields)

    def _method(self, operation: str) -> Method:
        return method(self._kind.name, operation)


def build_command(
    called: Method, parse: Callable[[Method, object], Value], **parameters: object
) -> Command[Value]:
    """Make the command of a method whose answer `parse` reads."""
    return Command(called, parameters, partial(parse, called))


class _Created(Received):
    id: Annotated[WireInt, Field(ge=1)]


def check_id(group: Group, id: int) -> None:
    """Refuse a value that is not an id. `True` would be sent as one."""
    if type(id) is not int or id < 1:
        raise InvalidRequestError(
            say(
                "{group}: an id is a positive whole number, as {group}_list returns it. Nothing was sent.",
                group=group,
            )
        )


def parse_id(called: Method, reply: object) -> int:
    """`{"id": 5}` -> 5."""
    return parse_model(called, _Created, reply).id


def parse_true(called: Method, reply: object) -> None:
    """Accept the `true` of a successful write, in every spelling of it."""
    if reply not in (True, 1, "true", "Y", "1"):
        raise unexpected_answer(called, 200, say("not the 'true' of a success"))


def _parse_fields(called: Method, reply: object) -> list[FieldDescription]:
    described = reply.get("fields") if isinstance(reply, dict) else None
    return parse_models(called, FieldDescription, described)


def parse_models(called: Method, model: type[Parsed], reply: object) -> list[Parsed]:
    """Turn an array of the wire into models."""
    items = parse_list(reply)
    if not isinstance(items, list):
        raise unexpected_answer(called, 200, say("no array of objects"))
    return [parse_model(called, model, item) for item in items]


def parse_model(called: Method, model: type[Parsed], reply: object) -> Parsed:
    """Turn an object of the wire into a model. The error names the fields, never their values."""
    try:
        return model.model_validate(reply)
    except ValidationError as error:
        problems = error.errors(include_url=False, include_input=False, include_context=False)
        where = ", ".join(
            sorted(
                {".".join(str(step) for step in problem["loc"]) or say("the object") for problem in problems}
            )
        )
        raise unexpected_answer(called, 200, say("unreadable in {where}", where=where)) from None
