"""The question for a secret that a call refers to and that is not stored yet, where the client can show its person an address."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

from anyio import move_on_after, to_thread
from mcp import MCPError
from mcp.types import ElicitRequest, ElicitRequestURLParams, InputRequiredResult

from bi_mcp.base.advice import AdviceKind
from bi_mcp.base.language import say
from bi_mcp.base.quoting import quote
from bi_mcp.errors import SecretReferenceError
from bi_mcp.server.tools.context import app_of
from bi_mcp.vault.asking import WantedSecret
from bi_mcp.vault.destinations import find_destinations
from bi_mcp.vault.secret_index import advise_store

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from bi_mcp.server.tools.context import BiContext
    from bi_mcp.vault.asking import AskingPage
    from bi_mcp.vault.setting_values import SettingValue

# The first protocol version in which a call is answered with a question, and repeated with the person's answer.
_ROUND_TRIPS = "2026-07-28"
# A call waits this long for the person; many clients give up on one after a minute.
CALL_WAIT_S = 50.0


async def ask_for_secrets(
    ctx: BiContext, settings: Mapping[str, SettingValue], addresses: Collection[str], connector: str
) -> InputRequiredResult | None:
    """Return None when every named secret is stored, or when the person cannot be asked; else the question to the person,
    which answers the call. Raises `SecretReferenceError` where the person declines or takes too long.
    """
    app = app_of(ctx)
    missing = await to_thread.run_sync(app.setting_values.missing, settings)
    capabilities = ctx.client_capabilities
    asking = capabilities.elicitation if capabilities is not None else None
    pages = app.pages
    if not missing or pages is None:
        return None
    # Over HTTP the person sits at another machine, whose loopback is not ours.
    within_reach = pages.are_hosted or ctx.headers is None
    can_show = within_reach and asking is not None and asking.url is not None
    if not can_show and not pages.are_hosted:
        return None
    for name in missing:
        hosts = find_destinations(addresses, f"the secret {name}")
        wanted = WantedSecret(name, tuple(hosts), app.portal.title, quote(connector))
        try:
            page = await pages.open(wanted)
        except OSError:
            # The error that follows names the command.
            return None
        if not can_show:
            raise _name_page(page, wanted)
        try:
            action = await _show(
                ctx, page, wanted, "of this server" if pages.are_hosted else "on your machine"
            )
        except MCPError:
            # The client said that it could show an address.
            if pages.are_hosted:
                raise _name_page(page, wanted) from None
            # Again the error that follows names the command.
            await page.close()
            return None
        if isinstance(action, InputRequiredResult):
            return action
        await _finish(page, wanted, action)
    return None


def _name_page(page: AskingPage, wanted: WantedSecret) -> SecretReferenceError:
    """Make the error for a client that cannot show an address: the assistant does."""
    return SecretReferenceError(
        say(
            "The secret {name} is not stored, and nothing was sent. Ask the user to open {url} within ten minutes: the page asks for the value and binds it to {hosts}. The value must not be written into the chat. Then call again.",
            name=wanted.name,
            url=page.url,
            hosts=", ".join(wanted.hosts),
        )
    )


async def _show(
    ctx: BiContext, page: AskingPage, wanted: WantedSecret, place: str
) -> str | InputRequiredResult:
    """Let the client show the page, and return what its person said to that, or the question where they have not said it yet."""
    message = (
        f"{wanted.portal}: store the secret {wanted.name} for {', '.join(wanted.hosts)}. A page {place} asks for the value; "
        "the assistant does not see it."
    )
    key = f"secret_{wanted.name}"
    if (ctx.protocol_version or "") < _ROUND_TRIPS:
        return (await ctx.elicit_url(message, page.url, secrets.token_urlsafe(8))).action
    answer = (ctx.input_responses or {}).get(key)
    if answer is None:
        params = ElicitRequestURLParams(message=message, url=page.url)
        return InputRequiredResult(input_requests={key: ElicitRequest(params=params)}, request_state=key)
    return str(getattr(answer, "action", "cancel"))


async def _finish(page: AskingPage, wanted: WantedSecret, action: str) -> None:
    otherwise = advise_store(AdviceKind.STORE_UNDER_NAME, wanted.name, wanted.hosts)
    if action != "accept":
        await page.close()
        raise SecretReferenceError(
            say(
                "The secret {name} was not stored: the person did not open the page. Nothing was sent.",
                name=wanted.name,
            ),
            otherwise,
        )
    with move_on_after(CALL_WAIT_S):
        await page.wait()
        return
    raise SecretReferenceError(
        say(
            "The secret {name} is not stored yet: the page waits for the person. Nothing was sent. Call again when they have entered it.",
            name=wanted.name,
        ),
        otherwise,
    )
