"""An object as the portal has it after a write: it spares the caller a call, and never makes a write look failed."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, TypedDict

from bi_mcp.base.language import say
from bi_mcp.errors import BiMcpError

if TYPE_CHECKING:
    from pydantic import BaseModel

    from bi_mcp.server.tools.answers import Found


class ReadBack(TypedDict, total=False):
    """What an answer about a write holds beside the id."""

    item: BaseModel
    notice: str | None


async def read_back(read: Callable[[], Awaitable[Found[Any]]]) -> ReadBack:
    """Read the object that was written. Where that fails, the notice says so in its place."""
    try:
        found = await read()
    except BiMcpError:
        return {
            "notice": say(
                "This was done, but the object could not be read afterwards, so it is not shown. Read it before you rely on it."
            )
        }
    return {"item": found.item, "notice": found.notice}
