"""A client of the OAuth server that counts what became of renewals."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from bi_mcp.errors import AuthorisationError, UnexpectedAnswerError, UnreachableError

if TYPE_CHECKING:
    from collections.abc import Callable

    from bi_mcp.auth.session import Renewer
    from bi_mcp.auth.token import Application, Token
    from bi_mcp.base.secret import Secret

# `refused`: by the OAuth server; `failed`: it gave no answer, or one that is not OAuth's.
RenewalOutcome = Literal["renewed", "refused", "failed"]


@dataclass(frozen=True)
class CountedRenewals:
    """A client that tells `count` what became of each renewal that `client` makes."""

    client: Renewer
    count: Callable[[RenewalOutcome], None]

    async def refresh(self, application: Application, refresh_token: Secret) -> Token:
        """Get the next token, and count how that went."""
        try:
            token = await self.client.refresh(application, refresh_token)
        except AuthorisationError:
            self.count("refused")
            raise
        except (UnreachableError, UnexpectedAnswerError):
            self.count("failed")
            raise
        self.count("renewed")
        return token
