"""Pure: settings that a server to which people sign in does not take, since all of them would share what belongs to the operator."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bi_mcp.base.language import say
from bi_mcp.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bi_mcp.config import Settings
    from bi_mcp.server.http.options import HttpOptions


def require_fit_for_sign_in(settings: Settings, options: HttpOptions) -> None:
    """Raise `ConfigError` with every setting that has to go."""
    problems = list(check_sign_in(settings, options))
    if problems:
        reasons = "".join(f"\n- {problem}" for problem in problems)
        raise ConfigError(say("bi-mcp does not start with --sign-in:{reasons}", reasons=reasons))


def check_sign_in(settings: Settings, options: HttpOptions) -> Iterator[str]:
    """Tell each setting that has to go, and why."""
    if options.settings.token or options.settings.issuer:
        yield say(
            "BI_MCP_HTTP_TOKEN or BI_MCP_HTTP_ISSUER is set. Keep one way in: with --sign-in this server gives out its tokens itself."
        )
    if settings.portal_url or settings.webhook_url or settings.profiles:
        yield say(
            "A portal is named by BI_MCP_PORTAL_URL, BI_MCP_WEBHOOK or --profile. Leave it out: each person works with their own login of the portal that --portal names."
        )
    if settings.workspace_folder:
        yield say(
            "--workspace (BI_MCP_WORKSPACE) would show its setup files to everybody who signs in. Leave it out: a setup can be given to a call as text."
        )
    if settings.secrets_folder:
        yield say(
            "--secrets-dir (BI_MCP_SECRETS_DIR) would let everybody who signs in send its files. Leave it out: each person stores their own secrets on a page of this server."
        )
    if settings.configuration_folder is None:
        yield say(
            "There is no configuration folder for the history and people's secrets. Set BI_MCP_CONFIG_DIR."
        )
