"""Settings. The only module that reads the environment."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeVar

from bi_mcp.errors import ConfigError
from bi_mcp.secret import Secret

if TYPE_CHECKING:
    from collections.abc import Mapping

Choice = TypeVar("Choice", bound=str)

Generation = Literal["classic", "tables"]
ErrorPlace = Literal["result", "root"]
Limits = Literal["off", "standard", "enterprise"]

GENERATIONS: tuple[Generation, ...] = ("classic", "tables")
ERROR_PLACES: tuple[ErrorPlace, ...] = ("result", "root")
LIMITS: tuple[Limits, ...] = ("off", "standard", "enterprise")


@dataclass(frozen=True, kw_only=True)
class LocalPortalSettings:
    """How the local portal behaves.

    `access_token` and `webhook` (`USER/SECRET`) are fixed credentials, accepted beside the issued ones.
    `faults` opens the control route with which tests order faults.
    """

    database: str = ":memory:"
    generation: Generation = "tables"
    errors: ErrorPlace = "result"
    limits: Limits = "off"
    access_token: Secret | None = None
    webhook: Secret | None = None
    faults: bool = False


def local_portal_settings(environment: Mapping[str, str] = os.environ) -> LocalPortalSettings:
    """Read the `BI_MCP_PORTAL_*` variables. Without `BI_MCP_PORTAL_DB` the portal lives in memory."""
    return LocalPortalSettings(
        database=environment.get("BI_MCP_PORTAL_DB") or ":memory:",
        generation=_choice(environment, "BI_MCP_PORTAL_GENERATION", GENERATIONS, "tables"),
        errors=_choice(environment, "BI_MCP_PORTAL_ERRORS", ERROR_PLACES, "result"),
        limits=_choice(environment, "BI_MCP_PORTAL_LIMITS", LIMITS, "off"),
        access_token=_secret(environment, "BI_MCP_PORTAL_ACCESS_TOKEN"),
        webhook=_secret(environment, "BI_MCP_PORTAL_WEBHOOK"),
        faults=_switch(environment, "BI_MCP_PORTAL_FAULTS"),
    )


def _choice(
    environment: Mapping[str, str], name: str, allowed: tuple[Choice, ...], default: Choice
) -> Choice:
    value = environment.get(name) or default
    for choice in allowed:
        if value == choice:
            return choice
    raise ConfigError(f"{name} must be one of {', '.join(allowed)}, not {value!r}.")


def _switch(environment: Mapping[str, str], name: str) -> bool:
    value = (environment.get(name) or "off").lower()
    if value in {"on", "true", "1", "yes"}:
        return True
    if value in {"off", "false", "0", "no"}:
        return False
    raise ConfigError(f"{name} must be on or off, not {value!r}.")


def _secret(environment: Mapping[str, str], name: str) -> Secret | None:
    value = environment.get(name)
    return Secret(value) if value else None
