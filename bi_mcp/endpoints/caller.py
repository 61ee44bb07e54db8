"""The four endpoints as functions: guarded, bounded, and read as Bitrix24 reads them."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import anyio

from bi_mcp.base.language import say
from bi_mcp.base.progress import remark
from bi_mcp.endpoints.answers import (
    Breach,
    Columns,
    EndpointAnswer,
    ListedTables,
    Rows,
    parse_columns,
    parse_rows,
    parse_tables,
)
from bi_mcp.endpoints.dates import CultureName
from bi_mcp.endpoints.elements import ElementReader, NotJsonError
from bi_mcp.endpoints.exchange import EndpointLimits, Exchange, certificates_of_authorities
from bi_mcp.endpoints.form import encode_form
from bi_mcp.endpoints.guard import Resolver, find_destination, parse_address, resolve_host
from bi_mcp.endpoints.request import DataRequest
from bi_mcp.endpoints.wording import Connection, name_address, safe_text
from bi_mcp.errors import EndpointError

if TYPE_CHECKING:
    from starlette.types import ASGIApp

__all__ = ["EndpointCaller", "EndpointLimits"]


class EndpointCaller:
    """Caller of endpoints. `apps` are connectors in this process, by origin (`http://sample.localhost`), without a socket.

    `allow_private`: call private addresses too, as the practice portal does and Bitrix24's cloud does not. `culture`: the
    portal's way of writing dates into requests, `portal` its address where one is known.
    Every method raises EndpointError, whose text does not hold values of the connection.
    """

    def __init__(
        self,
        *,
        allow_private: bool = False,
        culture: CultureName = "ru",
        apps: Mapping[str, ASGIApp] | None = None,
        limits: EndpointLimits | None = None,
        resolver: Resolver = resolve_host,
        certificates: ssl.SSLContext | None = None,
        portal: str | None = None,
    ) -> None:
        self.limits = limits or EndpointLimits()
        self.culture = culture
        self._allow_private = allow_private
        self._apps = {parse_address(origin).origin: app for origin, app in (apps or {}).items()}
        self._resolver = resolver
        self._certificates = certificates
        self._portal = portal

    async def is_portal_local(self) -> bool:
        """Return whether the portal is on this machine or in a private network, from where it can call what is there."""
        if self._portal is None:
            return False
        try:
            address = parse_address(self._portal)
            found = await find_destination(address, allow_private=True, resolver=self._resolver)
        except EndpointError:
            return False
        return found.not_public is not None

    async def check(self, url: str, connection: Connection) -> EndpointAnswer:
        """Call `urlCheck`: 200 and any body will do. Only the first bytes are read."""
        await remark("Calling urlCheck")
        beginning = bytearray()

        def is_enough(part: bytes) -> bool:
            beginning.extend(part)
            return not part

        answer = await self._post(url, {}, connection, is_enough)
        if not answer.size:
            raise EndpointError(
                say("{url} answered 200 with an empty body.", url=name_address(url)),
                reason="empty",
                status=200,
            )
        return replace(answer, is_page=beginning.lstrip().startswith(b"<"))

    async def table_list(self, url: str, connection: Connection, search: str = "") -> ListedTables:
        """Call `urlTableList`; the endpoint does the search."""
        await remark("Calling urlTableList")
        read, answer = await self._array(url, {"searchString": search}, connection, self.limits.items)
        tables = parse_tables(read, answer)
        return replace(tables, breaches=_without(connection, tables.breaches))

    async def table_description(self, url: str, connection: Connection, table: str) -> Columns:
        """Call `urlTableDescription` for the `externalCode` of a table."""
        await remark("Calling urlTableDescription")
        read, answer = await self._array(url, {"table": table}, connection, self.limits.items)
        columns = parse_columns(read, answer)
        return replace(columns, breaches=_without(connection, columns.breaches))

    async def data(
        self,
        url: str,
        connection: Connection,
        table: str,
        *,
        select: Sequence[str] = (),
        filter: Mapping[str, object] | None = None,
        limit: int | None = None,
        map_fields: Mapping[str, str] | None = None,
    ) -> Rows:
        """Call `urlData`. Omitted arguments are not sent. Returns at most `limit` and at most `limits.rows` rows."""
        mapped = map_fields or {}
        return await self.ask(
            url, connection, DataRequest(table, tuple(select), filter or {}, limit, mapped, mapped)
        )

    async def ask(self, url: str, connection: Connection, request: DataRequest) -> Rows:
        """Call `urlData` with a request as the portal writes it, and read the answer by the names of its columns."""
        limit = request.limit
        # The header, and one row more than asked for: it shows that the limit was ignored.
        enough = 1 + min(self.limits.rows, self.limits.rows if limit is None else limit + 1)
        await remark("Calling urlData")
        read, answer = await self._array(url, request.parameters, connection, enough)
        rows = parse_rows(
            read,
            answer,
            select=request.select,
            limit=limit,
            names=request.names,
            mapped=bool(request.map_fields),
        )
        return replace(rows, breaches=_without(connection, rows.breaches))

    async def _array(
        self, url: str, parameters: Mapping[str, object], connection: Connection, enough: int
    ) -> tuple[ElementReader, EndpointAnswer]:
        started = anyio.current_time()
        read = ElementReader(enough)
        try:
            answer = await self._post(url, parameters, connection, read.feed)
            if answer.size <= self.limits.size:
                read.finish()
        except NotJsonError as error:
            broken = EndpointError(
                say("{url} answered 200, but the answer {error}.", url=name_address(url), error=error),
                reason="not_json",
                status=200,
            )
            broken.seconds = anyio.current_time() - started
            raise broken from None
        if answer.size > self.limits.size and not read.elements:
            raise EndpointError(
                say(
                    "{url} sent more than {size} bytes, and the first element of the array did not end.",
                    url=name_address(url),
                    size=self.limits.size,
                ),
                reason="too_large",
                status=200,
            )
        return read, answer

    async def _post(
        self,
        url: str,
        parameters: Mapping[str, object],
        connection: Connection,
        wants: Callable[[bytes], bool],
    ) -> EndpointAnswer:
        """Post a request. `wants` gets the body in parts, at most `limits.size`, and says whether it wants more."""
        started = anyio.current_time()
        call = Exchange(
            url, encode_form({**parameters, "connection": connection}), connection, self.limits, wants
        )
        try:
            address = parse_address(url)
            with anyio.CancelScope(deadline=started + self.limits.connect_s) as call.scope:
                app = self._apps.get(address.origin)
                if app is not None:
                    return await call.in_process(app, address)
                destination = await find_destination(
                    address, allow_private=self._allow_private, resolver=self._resolver
                )
                return await call.over_network(
                    destination, self._certificates or certificates_of_authorities()
                )
            raise call.late()
        except EndpointError as error:
            error.seconds = anyio.current_time() - started
            raise


def _without(connection: Connection, breaches: Sequence[Breach]) -> list[Breach]:
    return [breach._replace(detail=safe_text(breach.detail, connection)) for breach in breaches]
