"""The files beside a setup: the state, and what a request in flight was about to do. Replaced as a whole, and on the disk at once."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from bi_mcp.errors import StateFileError
from bi_mcp.language import say
from bi_mcp.whole_file import read_regular, replace_file
from bi_mcp.workspace.state import State, from_json, state_path, to_json

if TYPE_CHECKING:
    from pathlib import Path

Document = Mapping[str, Any]


class StateKeeper(Protocol):
    """Where an application keeps what a killed process must not take with it."""

    def read(self) -> State:
        """The state, an empty one where none was kept."""
        ...

    def write(self, state: State) -> None:
        """Keep a state."""
        ...

    def read_pending(self) -> Document | None:
        """What the last request was about to do, None where it was finished."""
        ...

    def write_pending(self, pending: Document | None) -> None:
        """Keep what the next request is about to do; None: it is finished."""
        ...


@dataclass
class StateInMemory:
    """For a setup without a file: objects are known by their titles and names, the next time again."""

    state: State
    pending: Document | None = None

    def read(self) -> State:
        return self.state

    def write(self, state: State) -> None:
        self.state = state

    def read_pending(self) -> Document | None:
        return self.pending

    def write_pending(self, pending: Document | None) -> None:
        self.pending = pending


def keeper_at(setup: Path | None, portal: str) -> StateKeeper:
    """Where the state of a setup is kept: beside its file, or for as long as the process runs where it has none."""
    return StateInMemory(State(portal)) if setup is None else StateFile(setup, portal)


def locked(keeper: StateKeeper) -> AbstractContextManager[None]:
    """Within it, no other process applies what this keeper remembers. Raises `StateFileError` where one does so now."""
    return keeper.locked() if isinstance(keeper, StateFile) else nullcontext()


class StateFile:
    """`bi.portal.example.state.json` beside `bi.yaml`, and `….pending.json` while a request is in flight."""

    def __init__(self, setup: Path, portal: str) -> None:
        self._portal = portal
        self.path = state_path(setup, portal)
        self.pending_path = self.path.with_name(self.path.name.replace(".state.json", ".pending.json"))

    def read(self) -> State:
        """Raises `StateFileError` for a file that is none of ours, or another portal's."""
        document = self._read(self.path)
        return State(self._portal) if document is None else from_json(document, self.path.name, self._portal)

    def write(self, state: State) -> None:
        """Raises `StateFileError` where it cannot be written."""
        self._write(self.path, to_json(state))

    def read_pending(self) -> Document | None:
        """What the last request was about to do, None where it was finished."""
        return self._read(self.pending_path)

    def write_pending(self, pending: Document | None) -> None:
        """None removes it."""
        if pending is None:
            self.pending_path.unlink(missing_ok=True)
        else:
            self._write(self.pending_path, pending)

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Keep other processes from applying the same file to the same portal. Raises `StateFileError` at once."""
        from filelock import FileLock, Timeout

        try:
            with FileLock(self.path.with_name(f".{self.path.name}.lock"), timeout=0):
                yield
        except Timeout:
            raise StateFileError(
                say(
                    "{name} is in use: another bi-mcp applies this setup right now. Wait for it to end.",
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
                    "{name} cannot be written ({strerror}). Nothing more was sent.",
                    name=path.name,
                    strerror=error.strerror,
                )
            ) from None
