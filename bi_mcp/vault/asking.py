"""The interface of the pages that ask a person for a secret, so that its value passes neither the model nor the client."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from bi_mcp.base.language import say
from bi_mcp.errors import ConfigError

if TYPE_CHECKING:
    from bi_mcp.base.secret import Secret
    from bi_mcp.vault.named_secrets import NamedSecrets


@dataclass(frozen=True)
class WantedSecret:
    """The secret that is asked for: its name, the hosts that it will be bound to, and for whom."""

    name: str
    hosts: tuple[str, ...]
    portal: str
    connector: str


class AskingPage(Protocol):
    """One page."""

    @property
    def url(self) -> str:
        """Address that the person opens."""
        ...

    async def wait(self) -> None:
        """Wait until it took a value, was given up, or waited long enough."""
        ...

    async def close(self) -> None:
        """Give it up."""
        ...


class AskingPages(Protocol):
    """Pages that can be opened. `are_hosted`: by this server, for a browser on any machine; otherwise for one on this machine."""

    @property
    def are_hosted(self) -> bool: ...

    async def open(self, wanted: WantedSecret) -> AskingPage:
        """Open a page, or return the one that already asks for this. Raises `OSError` if it cannot listen."""
        ...


def store_wanted(stored: NamedSecrets, wanted: WantedSecret, value: Secret) -> None:
    """Store the value that the person entered. Raises `ConfigError`, also where a secret of that name is there by now."""
    if wanted.name in stored.known():
        raise ConfigError(
            say(
                "A secret {name} has been stored in the meantime. Nothing was changed; close this page and go back to the assistant.",
                name=wanted.name,
            )
        )
    stored.store(wanted.name, value, wanted.hosts)
