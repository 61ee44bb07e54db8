"""Stores for the secrets of a profile: the system's keyring, or a file of mode 0600."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from anyio import current_time, sleep, to_thread

from bi_mcp.auth.token import Grant, grant_from_json, grant_to_json
from bi_mcp.base.advice import AdviceKind, advise
from bi_mcp.base.language import say
from bi_mcp.base.secret import Secret
from bi_mcp.errors import AuthorisationError
from bi_mcp.rest.credential import Webhook
from bi_mcp.vault.keyring import ask_for_text, ask_keyring, system_keyring, unusable_keyring
from bi_mcp.vault.private_file import PrivateFile, make_private_folder

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Mapping
    from pathlib import Path

    from keyring.backend import KeyringBackend

    from bi_mcp.vault.keyring import Keeper

Stored = Grant | Webhook

# Longer than a renewal may take, so that a process is not refused while the one that it waits for still works.
PATIENCE_S = 60.0
_POLL_S = 0.02


class TokenStore(ABC):
    """Store of the tokens and webhooks of profiles, shared by all processes of a user.

    Reading needs no lock. A change holds `lock` from before it reads until after it has saved.
    Raises `AuthorisationError` (`STORE_FAILED`, `LOCKED`) with the reason, never with a stored secret.
    """

    def __init__(self, folder: Path, *, patience: float = PATIENCE_S) -> None:
        self._locks = folder / "tokens"
        self._patience = patience

    async def reach(self) -> None:
        """Raise if this process cannot reach the store, before something relies on it."""
        await to_thread.run_sync(self._reach)

    async def load(self, profile: str) -> Stored | None:
        """Return the stored secrets of a profile, None if there are none."""
        kept = await to_thread.run_sync(self._read, profile)
        if kept is None:
            return None
        try:
            return stored_from_json(kept)
        except ValueError:
            raise AuthorisationError(
                say("The stored login of profile {profile!r} is damaged.", profile=profile),
                advise(AdviceKind.LOG_IN, arguments="PORTAL"),
                code="STORE_FAILED",
            ) from None

    async def save(self, profile: str, stored: Stored) -> None:
        """Replace the stored secrets of a profile; when this returns, they survive the process."""
        await to_thread.run_sync(self._write, profile, stored_to_json(stored))

    async def delete(self, profile: str) -> None:
        """Forget a profile; a missing one is not an error."""
        await to_thread.run_sync(self._remove, profile)

    @asynccontextmanager
    async def lock(self, profile: str) -> AsyncIterator[None]:
        """Lock a profile against every other process, and finish a killed one's work. The system frees a dead one's lock."""
        from filelock import FileLock

        lock = FileLock(self._locks / f"{profile}.lock", mode=0o600, thread_local=False)
        try:
            make_private_folder(self._locks)
            await _acquire(lock.acquire, self._patience, profile)
        except OSError as error:
            raise self._unusable(profile, error) from None
        try:
            await to_thread.run_sync(self._recover, profile)
            yield
        finally:
            lock.release()

    @abstractmethod
    def _reach(self) -> None: ...

    @abstractmethod
    def _read(self, profile: str) -> Mapping[str, Any] | None: ...

    @abstractmethod
    def _write(self, profile: str, document: Mapping[str, object]) -> None: ...

    @abstractmethod
    def _remove(self, profile: str) -> None: ...

    def _unusable(self, profile: str, error: OSError) -> AuthorisationError:
        return AuthorisationError(
            say(
                "The token of profile {profile!r} cannot be changed in {locks} ({strerror}). Make room or make the folder writable, or set BI_MCP_CONFIG_DIR to another folder.",
                profile=profile,
                locks=self._locks,
                strerror=error.strerror,
            ),
            code="STORE_FAILED",
        )

    @abstractmethod
    def _recover(self, profile: str) -> None: ...


class FileTokenStore(TokenStore):
    """`tokens/PROFILE.json` in the configuration folder."""

    def _reach(self) -> None:
        """Do nothing: the lock already finds a folder that cannot be used."""

    def _read(self, profile: str) -> Mapping[str, Any] | None:
        return self._file(profile).read()

    def _write(self, profile: str, document: Mapping[str, object]) -> None:
        try:
            self._file(profile).write(document)
        except OSError as error:
            raise self._unusable(profile, error) from None

    def _remove(self, profile: str) -> None:
        self._file(profile).remove()

    def _recover(self, profile: str) -> None:
        self._file(profile).recover()

    def _file(self, profile: str) -> PrivateFile:
        return PrivateFile(self._locks / f"{profile}.json")


class KeyringTokenStore(TokenStore):
    """The system's keyring. The lock stays a file, since keyrings have none; entries belong to the folder of the lock.

    Without a `backend` the system's is looked up when it is first needed, in the thread that asks it.
    """

    def __init__(
        self, folder: Path, backend: KeyringBackend | None = None, *, patience: float = PATIENCE_S
    ) -> None:
        super().__init__(folder, patience=patience)
        self._backend = backend
        self._service = f"bi-mcp {folder}"

    def _reach(self) -> None:
        self._keyring()

    def _read(self, profile: str) -> Mapping[str, Any] | None:
        backend = self._keyring()
        kept = ask_for_text(lambda: backend.get_password(self._service, profile), _refusal(profile))
        if kept is None:
            return None
        try:
            document = json.loads(kept)
        except (ValueError, RecursionError):
            return {}
        return document if isinstance(document, dict) else {}

    def _write(self, profile: str, document: Mapping[str, object]) -> None:
        # Without blanks: the Windows keyring takes 1,280 characters.
        text = json.dumps(document, separators=(",", ":"))
        backend = self._keyring()
        ask_keyring(lambda: backend.set_password(self._service, profile, text), _refusal(profile))

    def _remove(self, profile: str) -> None:
        if self._read(profile) is not None:
            backend = self._keyring()
            ask_keyring(lambda: backend.delete_password(self._service, profile), _refusal(profile))

    def _recover(self, profile: str) -> None:
        """Do nothing: a keyring's changes are never half done."""

    def _keyring(self) -> KeyringBackend:
        if self._backend is None:
            self._backend = system_keyring(_unusable_keyring)
        if self._backend is None:
            raise AuthorisationError(
                say(
                    "The token is in the system keyring, which this process cannot reach (a service or a container often has none). Log in again with `--keep-in file`."
                ),
                code="STORE_FAILED",
            )
        return self._backend


def _refusal(profile: str) -> Callable[[str], AuthorisationError]:
    return lambda name: AuthorisationError(
        say(
            "The system keyring did not return or accept the token of profile {profile!r} ({name}). Unlock it, or log in again with `--keep-in file`.",
            profile=profile,
            name=name,
        ),
        code="STORE_FAILED",
    )


def _unusable_keyring(reason: str) -> AuthorisationError:
    return AuthorisationError(str(unusable_keyring(reason)), code="STORE_FAILED")


def stored_to_json(stored: Stored) -> Mapping[str, object]:
    """The document of a login, as every store keeps it."""
    return {"webhook": stored.path.reveal()} if isinstance(stored, Webhook) else grant_to_json(stored)


def stored_from_json(document: Mapping[str, Any]) -> Stored:
    """Parse the document of a login. Raises `ValueError` if it is damaged."""
    webhook = document.get("webhook")
    return Webhook(Secret(webhook)) if isinstance(webhook, str) and webhook else grant_from_json(document)


def open_store(keeper: Keeper, folder: Path) -> TokenStore:
    """Return the store that a profile names. It does not ask a keyring yet."""
    return FileTokenStore(folder) if keeper == "file" else KeyringTokenStore(folder)


async def _acquire(acquire: Callable[..., object], patience: float, profile: str) -> None:
    """Poll, so that a waiting call can be cancelled."""
    deadline = current_time() + patience
    while True:
        try:
            acquire(timeout=0)
        except TimeoutError:
            if current_time() >= deadline:
                raise AuthorisationError(
                    say(
                        "Another bi-mcp process has kept profile {profile!r} locked for {patience:.0f} s. End it and try again.",
                        profile=profile,
                        patience=patience,
                    ),
                    code="LOCKED",
                ) from None
            await sleep(_POLL_S)
        else:
            return
