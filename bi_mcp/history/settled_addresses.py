"""One lock for each portal, over all its logins and all processes of the user."""

from __future__ import annotations

import logging
from contextlib import AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING

from anyio import WouldBlock, current_time, fail_after, sleep

from bi_mcp.base.language import say
from bi_mcp.errors import InvalidRequestError
from bi_mcp.vault.private_file import make_private_folder

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from anyio import Lock

    from bi_mcp.auth.portal_identity import PortalIdentity

PATIENCE_S = 60.0
_POLL_S = 0.02


@asynccontextmanager
async def settle_addresses(
    folder: Path | None, identity: PortalIdentity, here: Lock, *, patience: float = PATIENCE_S
) -> AsyncIterator[None]:
    """Lock the addresses of a portal's connectors: for a task that sends secrets after a look at them, and for one that
    changes them.

    `here` is the same lock for all tasks of this process. Raises `InvalidRequestError` where another task or process never
    releases the lock.
    """
    async with _hold_here(here, patience), AsyncExitStack() as held:
        # In this order everywhere: two logins with different addresses of one portal meet at its member_id.
        paths = [] if folder is None else [folder / "locks" / f"{name}.lock" for name in identity.lock_names]
        for path in paths:
            await _hold(held, path, patience)
        yield


@asynccontextmanager
async def _hold_here(here: Lock, patience: float) -> AsyncIterator[None]:
    try:
        here.acquire_nowait()
    except WouldBlock:
        await _wait_for(here, patience)
    try:
        yield
    finally:
        here.release()


async def _wait_for(here: Lock, patience: float) -> None:
    try:
        with fail_after(patience):
            await here.acquire()
    except TimeoutError:
        raise InvalidRequestError(
            say(
                "Nothing was sent: another call has been changing this portal for {patience:.0f} s. Wait for it to end, and try again.",
                patience=patience,
            )
        ) from None


async def _hold(held: AsyncExitStack, path: Path, patience: float) -> None:
    """Poll, so that a waiting call can be cancelled."""
    from filelock import FileLock, Timeout

    lock = FileLock(path, mode=0o600, thread_local=False)
    deadline = current_time() + patience
    while True:
        try:
            make_private_folder(path.parent)
            lock.acquire(timeout=0)
        except Timeout:
            if current_time() >= deadline:
                raise InvalidRequestError(
                    say(
                        "Nothing was sent: another bi-mcp process has been changing this portal for {patience:.0f} s. Wait for it to end, or end it, and try again.",
                        patience=patience,
                    )
                ) from None
            await sleep(_POLL_S)
        except OSError as error:
            # In a container the folder is often read-only. The look after each write remains.
            logging.getLogger(__name__).warning("Other processes are not kept off: %s", error.strerror)
            return
        else:
            held.callback(lock.release)
            return
