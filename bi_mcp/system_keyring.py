"""The system's keyring: whether there is one, and how it is asked."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bi_mcp.errors import BiMcpError

if TYPE_CHECKING:
    from collections.abc import Callable

    from keyring.backend import KeyringBackend

    from bi_mcp.profiles import Keeper


def system_keyring() -> KeyringBackend | None:
    """Return the system's keyring, None where there is none that keeps anything."""
    # Imported here: most servers keep tokens in a file or were told where, and start-up time counts.
    import keyring
    from keyring.backends import fail, null

    backend = keyring.get_keyring()
    keeps = backend.priority > 0 and not isinstance(backend, fail.Keyring | null.Keyring)
    return backend if keeps else None


def best_keeper() -> Keeper:
    """Where a new login is kept when the user does not say: the keyring where there is one."""
    return "keyring" if system_keyring() is not None else "file"


def ask_keyring(ask: Callable[[], str | None], refusal: Callable[[str], BiMcpError]) -> str | None:
    """Do something with a keyring. `refusal` makes an error of the name of what it raised."""
    try:
        return ask()
    except Exception as error:  # noqa: BLE001  backends raise what their system raises; its text may hold the entry
        raise refusal(type(error).__name__) from None
