"""The steps of `bi-mcp login`: what it asks for, prints, and hands to `bi_mcp.auth`."""

from __future__ import annotations

import re
import sys
import time
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any, TextIO
from urllib.parse import urlsplit

import anyio
import click

from bi_mcp.auth.client import OAuthClient
from bi_mcp.auth.installation import parse_installation
from bi_mcp.auth.login import Authorisation, Returned, keep, oauth_server_of
from bi_mcp.auth.portal_identity import identify_portal, portal_address
from bi_mcp.auth.profiles import Profile, Profiles, change_profiles, load_profiles
from bi_mcp.auth.receiver import handler_address, receiving
from bi_mcp.auth.session import open_session
from bi_mcp.auth.store import Stored
from bi_mcp.auth.token import Application, Grant
from bi_mcp.base.language import say, text
from bi_mcp.base.secret import Secret
from bi_mcp.cli.streams import read_whole
from bi_mcp.config import configuration_folder, secret_variable
from bi_mcp.errors import AuthorisationError, BiMcpError, ConfigError
from bi_mcp.history.entries import move_history
from bi_mcp.rest.client import BIConnector
from bi_mcp.rest.transport import HttpTransport, parse_webhook, rest_address
from bi_mcp.setup.setup import count_objects
from bi_mcp.vault.keyring import Keeper, best_keeper

if TYPE_CHECKING:
    from pathlib import Path

    from bi_mcp.rest.entity import Page
    from bi_mcp.rest.groups import Group

_EXPLANATION = text(
    """\
1. In {portal} open Developer resources > Other > Local application (Разработчикам > Другое > Локальное приложение).
2. Type: server. Permission: BIconnector (biconnector). Handler address: {handler}
3. Save it, and copy its client_id and client_secret from the card to here."""
)
# Letters of any alphabet, digits, dots and hyphens, or an IPv6 address.
_HOST = re.compile(r"[\w.:-]+")
_TEXT_BROWSERS = frozenset({"www-browser", "lynx", "w3m", "links", "elinks"})


@dataclass(frozen=True, kw_only=True)
class Wishes:
    """The options of `login`."""

    portal: str | None
    name: str | None
    client_id: str | None
    client_secret_env: str | None
    client_secret_stdin: bool
    installation: TextIO | None
    webhook: bool
    paste: bool
    no_browser: bool
    port: int
    keep_in: Keeper | None
    read_only: bool


def log_in(wishes: Wishes) -> None:
    """Log in, keep the login as a profile, and print what it can see."""
    if wishes.webhook:
        profile, stored = _by_webhook(wishes)
    elif wishes.installation is not None:
        profile, stored = _by_installation(wishes, wishes.installation)
    else:
        profile, stored = _by_browser(wishes)
    _keep_and_test(profile, stored)


def _by_browser(wishes: Wishes) -> tuple[Profile, Stored]:
    portal_url = _portal_url(wishes.portal)
    profile = _new_profile(wishes, portal_url)
    click.echo(say(_EXPLANATION, portal=portal_url, handler=handler_address(wishes.port)))
    application = _application(wishes, oauth_server_of(portal_url))
    authorisation = Authorisation(portal_url, application.client_id)
    returned = _wait_for_return(authorisation, wishes)
    application = replace(application, oauth_server=returned.oauth_server)
    return _with(profile, application), anyio.run(_exchange, profile, application, returned)


def _by_installation(wishes: Wishes, file: TextIO) -> tuple[Profile, Stored]:
    if wishes.client_secret_stdin and file.name == "<stdin>":
        raise click.UsageError(
            say(
                "The input can hold the installation's data or the client_secret, not both. Take one of them from a file or a variable."
            )
        )
    installation = parse_installation(read_whole(file), time.time())
    portal_url = _portal_url(wishes.portal or installation.portal)
    if installation.portal and installation.portal.lower() != urlsplit(portal_url).netloc:
        raise ConfigError(
            say(
                "The installation's data is of another portal than {portal_url}. Name that portal, or take the data of this one.",
                portal_url=portal_url,
            )
        )
    profile = _new_profile(wishes, portal_url)
    application = _application(wishes, oauth_server_of(portal_url, installation.oauth_host))
    return _with(profile, application), Grant(application, installation.token)


def _by_webhook(wishes: Wishes) -> tuple[Profile, Stored]:
    address, webhook = parse_webhook(_ask_hidden(say("The webhook's address (not shown)")))
    portal_url = _portal_url(address)
    if wishes.portal and _portal_url(wishes.portal) != portal_url:
        raise ConfigError(
            say(
                "The webhook is of another portal than the one that you named. Name that portal, or paste a webhook of this one."
            )
        )
    return replace(_new_profile(wishes, portal_url), kind="webhook"), webhook


def _wait_for_return(authorisation: Authorisation, wishes: Wishes) -> Returned:
    if not wishes.paste:
        returned = anyio.run(_receive, authorisation, wishes)
        if returned is not None:
            return returned
        click.echo(say("No browser can be opened here."))
    told = say("Open this address in a browser and confirm:")
    click.echo(f"{told}\n\n{authorisation.address}\n")
    click.echo(
        say("The page that follows cannot be shown. Copy its address and paste it here within 30 seconds.")
    )
    pasted: Returned = click.prompt(say("Address"), value_proc=partial(_read_pasted, authorisation))
    return pasted


def _read_pasted(authorisation: Authorisation, address: str) -> Returned:
    try:
        return authorisation.read_return(address)
    except AuthorisationError as error:
        if error.code == "FOREIGN_SERVER":
            raise
        # Click asks again.
        raise click.BadParameter(str(error)) from None


async def _receive(authorisation: Authorisation, wishes: Wishes) -> Returned | None:
    """Wait for the browser; None where none can be opened."""
    # Listening comes first: a browser that is logged in already returns at once.
    async with receiving(wishes.port) as receiver:
        if not wishes.no_browser and not _open_browser(authorisation.address):
            return None
        told = (
            say("Open this address on this machine:")
            if wishes.no_browser
            else say("Confirm in the browser. Where none opened, open this address on this machine:")
        )
        click.echo(f"{told}\n\n{authorisation.address}\n")
        return await receiver.receive(authorisation)


def _open_browser(address: str) -> bool:
    import webbrowser

    try:
        browser = webbrowser.get()
    except webbrowser.Error:
        return False
    name = getattr(browser, "name", "")
    if name in _TEXT_BROWSERS:
        return False
    if type(browser) is webbrowser.GenericBrowser:
        # It would wait for the browser's end.
        browser = webbrowser.BackgroundBrowser([name, *browser.args])
    return browser.open(address)


async def _exchange(profile: Profile, application: Application, returned: Returned) -> Stored:
    client = OAuthClient(login=profile.advise_login())
    return Grant(application, await client.exchange(application, returned.code))


def _keep_and_test(profile: Profile, stored: Stored) -> None:
    folder = configuration_folder()
    known = anyio.run(keep, folder, profile, stored)
    told = (
        text("Logged in to {portal} as profile {name!r}, the default.")
        if known.default == profile.name
        else text("Logged in to {portal} as profile {name!r}.")
    )
    click.echo(say(told, portal=profile.portal_url, name=profile.name))
    try:
        click.echo(anyio.run(_what_is_seen, profile, folder))
    except BiMcpError as error:
        raise click.ClickException(
            say("The login is kept, but the first call failed. {error}", error=error)
        ) from None


async def _what_is_seen(profile: Profile, folder: Path) -> str:
    async with BIConnector(HttpTransport(profile.portal_url, open_session(profile, folder))) as bi:
        if profile.kind == "webhook":
            await bi.connectors.fields()
            return say(
                "It can read what fields connectors, sources and datasets have, and nothing else: to list, "
                "create, change or delete, log in with an application."
            )
        seen = [
            _count("connector", await bi.connectors.list_page(select=["id"])),
            _count("source", await bi.sources.list_page(select=["id"])),
            _count("dataset", await bi.datasets.list_page(select=["id"])),
        ]
        generation = "tables" if await bi.datasets.has_tables() else "classic"
    return say(
        "It sees {seen}. The portal is of the generation {generation!r}.",
        seen=", ".join(seen),
        generation=generation,
    )


def _count(group: Group, page: Page[Any]) -> str:
    counted = count_objects(group, len(page.items))
    return say("{counted} and more", counted=counted) if page.more else counted


def _portal_url(portal: str | None) -> str:
    """`acme.bitrix24.com`, or any page of it -> `https://acme.bitrix24.com`."""
    if not portal:
        raise click.UsageError(say("Name the portal, such as https://acme.bitrix24.com."))
    # People copy the address of the page that they are on.
    before_query = portal.strip().partition("?")[0].partition("#")[0]
    parts = urlsplit(rest_address(before_query))
    if not _HOST.fullmatch(parts.hostname or ""):
        raise click.UsageError(
            say(
                "{portal!r} is not the address of a portal. Copy it from the browser, such as https://acme.bitrix24.com.",
                portal=portal,
            )
        )
    return f"{parts.scheme}://{parts.netloc.lower()}"


def move_profiles(old: str, new: str) -> Profiles:
    """Move the profiles of a portal that was renamed, and the history of its writes."""
    folder, before, after = configuration_folder(), _portal_url(old), _portal_url(new)
    known = load_profiles(folder)
    moved = change_profiles(folder, lambda profiles: profiles.with_renamed(before, after))
    try:
        move_history(folder, identify_portal(before, known), portal_address(after))
    except OSError as error:
        raise ConfigError(
            say(
                "The profiles were moved, but not the history in {folder} ({strerror}). Make the folder writable and run the command again the other way and back.",
                folder=folder / "history",
                strerror=error.strerror,
            )
        ) from None
    return moved


def _new_profile(wishes: Wishes, portal_url: str) -> Profile:
    known = load_profiles(configuration_folder())
    name = wishes.name or known.new_name(portal_url)
    # Before anything is asked: a code that was fetched in vain cannot be used again.
    known.check_free(name, portal_url)
    keeper = wishes.keep_in or best_keeper()
    return Profile(name=name, portal_url=portal_url, keeper=keeper, read_only=wishes.read_only)


def _with(profile: Profile, application: Application) -> Profile:
    return replace(profile, client_id=application.client_id, oauth_server=application.oauth_server)


def _application(wishes: Wishes, oauth_server: str) -> Application:
    client_id = wishes.client_id or _ask_hidden(say("client_id (not shown)"))
    return Application(client_id.strip(), _client_secret(wishes), oauth_server)


def _client_secret(wishes: Wishes) -> Secret:
    if wishes.client_secret_env:
        secret = secret_variable(wishes.client_secret_env)
        if secret is None:
            raise ConfigError(
                say(
                    "The variable {client_secret_env} is not set. Set it, or leave --client-secret-env out and enter the value.",
                    client_secret_env=wishes.client_secret_env,
                )
            )
        return secret
    if wishes.client_secret_stdin:
        entered = sys.stdin.readline().strip()
    else:
        entered = _ask_hidden(say("client_secret (not shown)")).strip()
    if not entered:
        raise ConfigError(say("The client_secret is empty. Copy it from the application's card."))
    return Secret(entered)


def _ask_hidden(question: str) -> str:
    """Ask for a value that is not shown. Without a terminal the answer may come through a pipe; raises ClickException where none does."""
    import warnings
    from getpass import GetPassWarning

    try:
        with warnings.catch_warnings():
            # A pipe shows nothing to anyone.
            warnings.simplefilter("ignore", GetPassWarning)
            answer: str = click.prompt(question, hide_input=True)
    except click.Abort:
        if sys.stdin.isatty():
            raise
        raise click.ClickException(
            say(
                "Nobody is there to be asked for this: {question}. Run `bi-mcp login` in a terminal, or pass --client-id with --client-secret-env or --client-secret-stdin.",
                question=question,
            )
        ) from None
    return answer
