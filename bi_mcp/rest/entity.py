"""The six methods that connectors, sources and datasets share, written once."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Annotated, ClassVar, Generic, TypeVar

from pydantic import Field, ValidationError

from bi_mcp.errors import InvalidRequestError
from bi_mcp.rest.envelope import unexpected
from bi_mcp.rest.methods import method
from bi_mcp.rest.models.field import FieldDescription
from bi_mcp.rest.models.wire import Received, Sent, WireInt
from bi_mcp.rest.query import PAGE_SIZE, Filter, Order, Query

if TYPE_CHECKING:
    from bi_mcp.rest.methods import Method
    from bi_mcp.rest.transport import Transport

Item = TypeVar("Item", bound=Received)
New = TypeVar("New", bound=Sent)
Changes = TypeVar("Changes", bound=Sent)
Parsed = TypeVar("Parsed", bound=Received)


@dataclass(frozen=True)
class Page(Generic[Item]):
    """One page of a list. The API gives no totals: `more` is certain to be False only after a page shorter than 50."""

    items: Sequence[Item]
    number: int
    more: bool


class Entity(Generic[Item, New, Changes]):
    """One group of methods. Every call raises the errors of `bi_mcp.errors`."""

    group: ClassVar[str]
    _item: type[Item]

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    async def add(self, fields: New) -> int:
        """Create an object and return its id. Not repeatable: see `errors.UnreachableError.may_have_happened`."""
        reply = await self._call("add", fields=fields.to_wire())
        return parse_id(self._method("add"), reply)

    async def update(self, id: int, changes: Changes) -> None:
        """Change what `changes` holds and nothing else."""
        check_id(self.group, id)
        fields = changes.to_wire()
        if not fields:
            raise InvalidRequestError(f"{self.group} {id}: nothing to change. Pass at least one field.")
        reply = await self._call("update", id=id, fields=fields)
        parse_true(self._method("update"), reply)

    async def get(self, id: int) -> Item:
        """Read one object. Raises `NotFoundError` for another application's, too."""
        check_id(self.group, id)
        reply = await self._call("get", id=id)
        item = reply.get("item") if isinstance(reply, dict) else None
        return parse_model(self._method("get"), self._item, item)

    async def delete(self, id: int) -> None:
        """Delete one object. Raises `InUseError` while something depends on it."""
        check_id(self.group, id)
        reply = await self._call("delete", id=id)
        parse_true(self._method("delete"), reply)

    async def list_page(
        self,
        *,
        select: Sequence[str] = (),
        filter: Filter | None = None,
        order: Order | None = None,
        page: int = 1,
    ) -> Page[Item]:
        """Read one page of 50. Without an order the page is ordered by id."""
        query = Query(select=select, filter=filter or {}, order=order or {}, page=page)
        return await self._page(query)

    async def iterate(
        self, *, select: Sequence[str] = (), filter: Filter | None = None
    ) -> AsyncIterator[Item]:
        """Walk all pages, ordered by id, until one is shorter than 50."""
        query = Query(select=select, filter=filter or {})
        while True:
            page = await self._page(query)
            for item in page.items:
                yield item
            if not page.more:
                return
            query = replace(query, page=query.page + 1)

    async def fields(self) -> list[FieldDescription]:
        """Describe the group's fields as this portal knows them. A webhook may call it, too."""
        reply = await self._call("fields")
        described = reply.get("fields") if isinstance(reply, dict) else None
        return parse_models(self._method("fields"), FieldDescription, described)

    async def _page(self, query: Query) -> Page[Item]:
        reply = await self._call("list", **query.to_wire())
        items = parse_models(self._method("list"), self._item, reply)
        return Page(items=items, number=query.page, more=len(items) >= PAGE_SIZE)

    async def _call(self, operation: str, **parameters: object) -> object:
        return await self._transport.call(self._method(operation), parameters)

    def _method(self, operation: str) -> Method:
        return method(self.group, operation)


class _Created(Received):
    id: Annotated[WireInt, Field(ge=1)]


def check_id(group: str, id: int) -> None:
    """Refuse what is no id. `True` would be sent as one."""
    if type(id) is not int or id < 1:
        raise InvalidRequestError(
            f"{group}: an id is a positive whole number, as {group}_list returns it. Nothing was sent."
        )


def parse_id(called: Method, reply: object) -> int:
    """`{"id": 5}` -> 5."""
    return parse_model(called, _Created, reply).id


def parse_true(called: Method, reply: object) -> None:
    """Accept the `true` of a successful write, in every spelling of it."""
    if reply not in (True, 1, "true", "Y", "1"):
        raise unexpected(called, 200, "not the 'true' of a success")


def parse_models(called: Method, model: type[Parsed], reply: object) -> list[Parsed]:
    """Turn an array of the wire into models."""
    if not isinstance(reply, list):
        raise unexpected(called, 200, "no array of objects")
    return [parse_model(called, model, item) for item in reply]


def parse_model(called: Method, model: type[Parsed], reply: object) -> Parsed:
    """Turn an object of the wire into a model. The error names the fields, never their values."""
    try:
        return model.model_validate(reply)
    except ValidationError as error:
        problems = error.errors(include_url=False, include_input=False, include_context=False)
        where = ", ".join(
            sorted({".".join(str(step) for step in problem["loc"]) or "the object" for problem in problems})
        )
        raise unexpected(called, 200, f"unreadable in {where}") from None
