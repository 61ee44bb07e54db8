"""The six methods that all kinds of objects share: as commands, which are checked and built, and as calls."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any, Generic, TypeVar
from weakref import WeakValueDictionary

import anyio
from pydantic import Field, ValidationError

from bi_mcp.base.advice import AdviceKind, advise
from bi_mcp.base.language import say
from bi_mcp.errors import BiMcpError, InvalidRequestError, NotFoundError, UnreachableError
from bi_mcp.rest.envelope import unexpected_answer
from bi_mcp.rest.kinds import Changes, Group, Item, New, ObjectKind
from bi_mcp.rest.methods import method
from bi_mcp.rest.models.field import FieldDescription
from bi_mcp.rest.models.wire import Received, WireInt, parse_list
from bi_mcp.rest.query import PAGE_SIZE, Filter, Order, Query
from bi_mcp.rest.recovery import Done, NotDone, judge_creation, judge_update, recover
from bi_mcp.rest.request import Command

if TYPE_CHECKING:
    from bi_mcp.rest.envelope import Envelope
    from bi_mcp.rest.methods import Method
    from bi_mcp.rest.request import Transport

Parsed = TypeVar("Parsed", bound=Received)
Value = TypeVar("Value")


@dataclass(frozen=True)
class Page(Generic[Item]):
    """One page of a list. The API gives no totals: `more` is certain to be False only after a page shorter than 50."""

    items: Sequence[Item]
    number: int
    more: bool


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


class KindMethods(Generic[Item, New, Changes]):
    """The methods of one kind. Every call raises the errors of `bi_mcp.errors`.

    After a write that broke off the portal is read: if the write took effect it succeeds, else it is an
    `InterruptedWriteError`.
    """

    kind: ObjectKind[Item, New, Changes]

    def __init__(self, transport: Transport) -> None:
        self._send: Callable[[Command[Any]], Awaitable[Envelope]] = transport.send
        self._creating: WeakValueDictionary[str, anyio.Lock] = WeakValueDictionary()

    @property
    def commands(self) -> KindCommands[Item, New, Changes]:
        """Commands of the same methods, for `BIConnector.batch`."""
        return KindCommands(self.kind)

    async def add(self, fields: New) -> int:
        """Create an object and return its id. Never sent twice; see `InterruptedWriteError`."""
        return await self._create(self.commands.add(fields), fields)

    async def update(self, id: int, changes: Changes) -> None:
        """Change what `changes` holds and nothing else."""
        await self._write(
            self.commands.update(id, changes), lambda: self._find_updated(id, changes.to_wire())
        )

    async def get(self, id: int) -> Item:
        """Read one object. Raises `NotFoundError` for another application's, too."""
        command = self.commands.get(id)
        return command.parse((await self._send(command)).result)

    async def delete(self, id: int) -> None:
        """Delete one object. Raises `InUseError` while something depends on it."""
        await self._write(self.commands.delete(id), lambda: self._find_deleted(id))

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
        """Describe the kind's fields as this portal knows them. A webhook may call it, too."""
        command = self.commands.fields()
        return command.parse((await self._send(command)).result)

    async def _page(self, query: Query) -> Page[Item]:
        command = self.commands.page(query)
        items = command.parse((await self._send(command)).result)
        return Page(items=items, number=query.page, more=len(items) >= PAGE_SIZE)

    async def _create(self, command: Command[int], fields: New) -> int:
        sent = fields.to_wire()
        name = str(sent[self.kind.title])
        # Creations that could be mistaken for each other go one at a time.
        async with self._creating.setdefault(name, anyio.Lock()):
            newest = await self._newest_id(command.method)
            return await self._write(command, lambda: self._find_created(sent, newest))

    async def _newest_id(self, called: Method) -> int | None:
        """Return the highest id before a creation; None if it cannot be read: the creation itself will say why."""
        try:
            page = await self.list_page(select=["id"], order={"id": "DESC"})
        except UnreachableError as error:
            raise UnreachableError(
                say("{name} was not sent. {error}", name=called.name, error=error),
                method=called.name,
                may_have_happened=False,
            ) from None
        except BiMcpError:
            return None
        return max((item.id for item in page.items), default=0)

    async def _write(
        self, command: Command[Value], look: Callable[[], Awaitable[Done[Value] | NotDone]]
    ) -> Value:
        try:
            return command.parse((await self._send(command)).result)
        except BiMcpError as error:
            return await recover(command.method, error, look)

    async def _find_created(self, sent: Mapping[str, object], newest: int | None) -> Done[int] | NotDone:
        if newest is None:
            return NotDone(
                "unknown", say("which {group}s there were before could not be read", group=self.kind.name)
            )
        select = ["id", *self.kind.identity]
        newer = [item async for item in self.iterate(select=select, filter={">id": newest})]
        return judge_creation(self.kind.name, sent, [item.model_dump(by_alias=True) for item in newer])

    async def _find_updated(self, id: int, sent: Mapping[str, object]) -> Done[None] | NotDone:
        return judge_update(self.kind.name, sent, (await self.get(id)).model_dump(by_alias=True))

    async def _find_deleted(self, id: int) -> Done[None] | NotDone:
        try:
            await self.get(id)
        except NotFoundError:
            return Done(None)
        return NotDone("not_done", say("{group} {id} is still there", group=self.kind.name, id=id))


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
            say("{group}: an id is a positive whole number. Nothing was sent.", group=group),
            advise(AdviceKind.SEE_LIST, group=group),
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
        raise unexpected_answer(called, 200, say("not an array of objects"))
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
