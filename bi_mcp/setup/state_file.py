"""The files beside a setup: the state, and the record of a request in flight. They are replaced as a whole, and flushed to the disk at once."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from glob import escape
from typing import TYPE_CHECKING, Any, Protocol

from bi_mcp.auth.portal_identity import PortalIdentity
from bi_mcp.base.language import say
from bi_mcp.base.whole_file import read_regular, replace_file
from bi_mcp.errors import StateFileError
from bi_mcp.setup.pending import Pending, parse_pending
from bi_mcp.setup.state import State, belongs_to, from_json, state_path, to_json

if TYPE_CHECKING:
    from pathlib import Path

Document = Mapping[str, Any]


class StateKeeper(Protocol):
    """The store of the records that an application needs after its process was killed."""

    def read(self) -> State:
        """The state, an empty one where none was kept."""
        ...

    def write(self, state: State) -> None:
        """Keep a state."""
        ...

    def read_pending(self) -> Pending | None:
        """The record of the last request, None where it was finished."""
        ...

    def write_pending(self, pending: Pending | None) -> None:
        """Keep what the next request is about to do; None: it is finished."""
        ...


@dataclass
class StateInMemory:
    """A state for a setup without a file: objects are known by their titles and names, the next time again."""

    state: State
    pending: Pending | None = None

    def read(self) -> State:
        return self.state

    def write(self, state: State) -> None:
        self.state = state

    def read_pending(self) -> Pending | None:
        return self.pending

    def write_pending(self, pending: Pending | None) -> None:
        self.pending = pending


def keeper_at(setup: Path | None, portal: PortalIdentity) -> StateKeeper:
    """The keeper of a setup's state: a file beside the setup's file, or memory where the setup has no file."""
    return StateInMemory(State(portal=portal.address)) if setup is None else StateFile(setup, portal)


def lock(keeper: StateKeeper) -> AbstractContextManager[None]:
    """Keep other processes from applying the same setup to the same portal. Raises `StateFileError` where one does so now."""
    return keeper.lock() if isinstance(keeper, StateFile) else nullcontext()


class StateFile:
    """`bi.portal.example.state.json` beside `bi.yaml`, and `….pending.json` while a request is in flight.

    Where the portal had another address, or an older version called it by its host alone, the file of that name is read
    and, once something is written, replaced by one of the right name.
    """

    def __init__(self, setup: Path, portal: PortalIdentity) -> None:
        self._setup = setup
        self._portal = portal
        self.path = state_path(setup, portal)
        self.pending_path = _pending_path(self.path)

    def read(self) -> State:
        """Read the state. Raises `StateFileError` for a file that is not a state of this portal."""
        path = self._current_path()
        document = self._read(path)
        return (
            State(portal=self._portal.address)
            if document is None
            else from_json(document, path.name, self._portal)
        )

    def write(self, state: State) -> None:
        """Write the state. Raises `StateFileError` where it cannot be written."""
        former = self._current_path()
        member = {"member": self._portal.member} if self._portal.member else {}
        self._write(self.path, {**to_json(state), **member})
        if former != self.path:
            former.unlink(missing_ok=True)

    def read_pending(self) -> Pending | None:
        """The record of the last request, None where it was finished."""
        document = self._read(self.pending_path) or self._read(_pending_path(self._current_path()))
        return None if document is None else parse_pending(document)

    def write_pending(self, pending: Pending | None) -> None:
        """Write the record of a request; None removes it."""
        if pending is None:
            _pending_path(self._current_path()).unlink(missing_ok=True)
            self.pending_path.unlink(missing_ok=True)
        else:
            self._write(self.pending_path, pending.model_dump(mode="json"))

    def _current_path(self) -> Path:
        """The path at which the state is now: its own name, or a former one."""
        if self.path.exists():
            return self.path
        for path in sorted(self._setup.parent.glob(f"{escape(self._setup.stem)}.*.state.json")):
            try:
                document = self._read(path)
            except StateFileError:
                # Not our file, so it is not an error: the file of this portal's name does not exist.
                continue
            if document is not None and self._is_former(path, document):
                return path
        return self.path

    def _is_former(self, path: Path, document: Document) -> bool:
        # `bi.prod.portal.example.state.json` is beside `bi.prod.yaml`, though it looks like a state of `bi.yaml`.
        named = PortalIdentity(str(document.get("portal")))
        return state_path(self._setup, named) == path and belongs_to(document, self._portal)

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Keep other processes from applying the same file to the same portal. Raises `StateFileError` at once."""
        from filelock import FileLock, Timeout

        try:
            with FileLock(self.path.with_name(f".{self.path.name}.lock"), timeout=0):
                yield
        except Timeout:
            raise StateFileError(
                say(
                    "{name} is in use: another bi-mcp is applying this setup. Wait until it ends.",
                    name=self.path.name,
                )
            ) from None

    def _read(self, path: Path) -> Document | None:
        try:
            document = json.loads(read_regular(path))
        except FileNotFoundError:
            return None
        except (OSError, ValueError, RecursionError) as error:
            raise StateFileError(
                say(
                    "{name} cannot be read ({reason}). Restore it, or delete it: objects are then known by titles and names.",
                    name=path.name,
                    reason=type(error).__name__,
                )
            ) from None
        if not isinstance(document, dict):
            raise StateFileError(say("{name} is damaged. Restore it, or delete it.", name=path.name))
        return document

    def _write(self, path: Path, document: Document) -> None:
        text = json.dumps(document, ensure_ascii=False, indent=1)
        try:
            replace_file(path, f"{text}\n".encode())
        except OSError as error:
            raise StateFileError(
                say(
                    "{name} cannot be written ({strerror}). Nothing more was sent. Make room or make it writable, then apply again.",
                    name=path.name,
                    strerror=error.strerror,
                )
            ) from None


def _pending_path(state: Path) -> Path:
    return state.with_name(state.name.replace(".state.json", ".pending.json"))
