"""The action of `bi-mcp login`: it asks, prints, and leaves the login itself to `bi_mcp.auth`."""

from __future__ import annotations

import sys
import time
import warnings
import webbrowser
from dataclasses import dataclass, replace
from functools import partial
from getpass import GetPassWarning
from pathlib import Path
from typing import Any, TextIO
from urllib.parse import urlsplit

import anyio
import click

from bi_mcp.auth.client import OAuthClient
from bi_mcp.auth.installation import parse_installation
from bi_mcp.auth.login import Authorisation, Returned, handler_address, keep, oauth_server_of
from bi_mcp.auth.profiles import Profile, load_profiles
from bi_mcp.auth.session import open_session
from bi_mcp.auth.store import Stored
from bi_mcp.auth.token import Application, Grant
from bi_mcp.base.language import say, text
from bi_mcp.base.secret import Secret
from bi_mcp.cli.actions.portal_url import parse_portal_url
from bi_mcp.cli.streams import read_whole
from bi_mcp.config import configuration_folder, secret_variable
from bi_mcp.errors import AuthorisationError, BiMcpError, ConfigError
from bi_mcp.rest.client import BIConnector
from bi_mcp.rest.credential import parse_webhook
from bi_mcp.rest.kind_methods import Page
from bi_mcp.rest.kinds import KINDS, Group
from bi_mcp.rest.transport import HttpTransport
from bi_mcp.vault.keyring import Keeper, best_keeper

_EXPLANATION = text(
    """\
1. In {portal} open Developer resources > Other > Local application (Разработчикам > Другое > Локальное приложение).
2. Type: server. Permission: BIconnector (biconnector). Handler address: {handler}
3. Save it, and copy its client_id and client_secret from the card to here."""
)
_TEXT_BROWSERS = frozenset({"www-browser", "lynx", "w3m", "links", "elinks"})


@dataclass(frozen=True, kw_only=True)
class LoginOptions:
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


def log_in(options: LoginOptions) -> None:
    """Log in, keep the login as a profile, and print what it can see."""
    if options.webhook:
        profile, stored = _by_webhook(options)
    elif options.installation is not None:
        profile, stored = _by_installation(options, options.installation)
    else:
        profile, stored = _by_browser(options)
    _keep_and_test(profile, stored)


def _by_browser(options: LoginOptions) -> tuple[Profile, Stored]:
    portal_url = parse_portal_url(options.portal)
    profile = _new_profile(options, portal_url)
    click.echo(say(_EXPLANATION, portal=portal_url, handler=handler_address(options.port)))
    application = _application(options, oauth_server_of(portal_url))
    authorisation = Authorisation(portal_url, application.client_id)
    returned = _wait_for_return(authorisation, options)
    application = replace(application, oauth_server=returned.oauth_server)
    client = OAuthClient(login=profile.advise_login())
    token = anyio.run(client.exchange, application, returned.code)
    return _with_application(profile, application), Grant(application, token)


def _by_installation(options: LoginOptions, file: TextIO) -> tuple[Profile, Stored]:
    if options.client_secret_stdin and file.name == "<stdin>":
        raise click.UsageError(
            say(
                "The input can hold the installation's data or the client_secret, not both. Take one of them from a file or a variable."
            )
        )
    installation = parse_installation(read_whole(file), time.time())
    portal_url = parse_portal_url(options.portal or installation.portal)
    if installation.portal and installation.portal.lower() != urlsplit(portal_url).netloc:
        raise ConfigError(
            say(
                "The installation's data is of another portal than {portal_url}. Name that portal, or take the data of this one.",
                portal_url=portal_url,
            )
        )
    profile = _new_profile(options, portal_url)
    application = _application(options, oauth_server_of(portal_url, installation.oauth_host))
    return _with_application(profile, application), Grant(application, installation.token)


def _by_webhook(options: LoginOptions) -> tuple[Profile, Stored]:
    address, webhook = parse_webhook(_ask_hidden(say("The webhook's address (not shown)")))
    portal_url = parse_portal_url(address)
    if options.portal and parse_portal_url(options.portal) != portal_url:
        raise ConfigError(
            say(
                "The webhook is of another portal than the one that you named. Name that portal, or paste a webhook of this one."
            )
        )
    return replace(_new_profile(options, portal_url), kind="webhook"), webhook


def _wait_for_return(authorisation: Authorisation, options: LoginOptions) -> Returned:
    if not options.paste:
        returned = anyio.run(_receive, authorisation, options)
        if returned is not None:
            return returned
        click.echo(say("No browser can be opened here."))
    click.echo(say("Open this address in a browser and confirm:"))
    click.echo(f"\n{authorisation.address}\n")
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


async def _receive(authorisation: Authorisation, options: LoginOptions) -> Returned | None:
    """Wait for the browser; None where none can be opened."""
    # Imported here: a login with --paste, --webhook or --installation needs no page.
    from bi_mcp.auth.receiver import receiving

    # Listening comes first: a browser that is logged in already returns at once.
    with receiving(options.port) as receiver:
        if not options.no_browser and not _open_browser(authorisation.address):
            return None
        click.echo(
            say("Open this address on this machine:")
            if options.no_browser
            else say("Confirm in the browser. If none opened, open this address on this machine:")
        )
        click.echo(f"\n{authorisation.address}\n")
        return await receiver.receive(authorisation)


def _open_browser(address: str) -> bool:
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


def _keep_and_test(profile: Profile, stored: Stored) -> None:
    folder = configuration_folder()
    known = anyio.run(keep, folder, profile, stored)
    logged_in = (
        text("Logged in to {portal} as profile {name!r}, the default.")
        if known.default == profile.name
        else text("Logged in to {portal} as profile {name!r}.")
    )
    click.echo(say(logged_in, portal=profile.portal_url, name=profile.name))
    try:
        click.echo(anyio.run(_describe_access, profile, folder))
    except BiMcpError as error:
        raise click.ClickException(
            say("The login is kept, but the first call failed. {error}", error=error)
        ) from None


async def _describe_access(profile: Profile, folder: Path) -> str:
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
        generation = await bi.datasets.generation()
    return say(
        "It sees {seen}. The portal is of the generation {generation!r}.",
        seen=", ".join(seen),
        generation=generation,
    )


def _count(group: Group, page: Page[Any]) -> str:
    counted = KINDS[group].count(len(page.items))
    return say("{counted} and more", counted=counted) if page.more else counted


def _new_profile(options: LoginOptions, portal_url: str) -> Profile:
    known = load_profiles(configuration_folder())
    name = options.name or known.new_name(portal_url)
    # Before anything is asked: a code that was fetched in vain cannot be used again.
    known.check_free(name, portal_url)
    keeper = options.keep_in or best_keeper()
    return Profile(name=name, portal_url=portal_url, keeper=keeper, read_only=options.read_only)


def _with_application(profile: Profile, application: Application) -> Profile:
    return replace(profile, client_id=application.client_id, oauth_server=application.oauth_server)


def _application(options: LoginOptions, oauth_server: str) -> Application:
    client_id = options.client_id or _ask_hidden(say("client_id (not shown)"))
    return Application(client_id.strip(), _client_secret(options), oauth_server)


def _client_secret(options: LoginOptions) -> Secret:
    if options.client_secret_env:
        secret = secret_variable(options.client_secret_env)
        if secret is None:
            raise ConfigError(
                say(
                    "The variable {client_secret_env} is not set. Set it, or leave --client-secret-env out and enter the value.",
                    client_secret_env=options.client_secret_env,
                )
            )
        return secret
    if options.client_secret_stdin:
        entered = sys.stdin.readline().strip()
    else:
        entered = _ask_hidden(say("client_secret (not shown)")).strip()
    if not entered:
        raise ConfigError(say("The client_secret is empty. Copy it from the application's card."))
    return Secret(entered)


def _ask_hidden(question: str) -> str:
    """Ask for a value that is not shown. Without a terminal the answer may come through a pipe; raises ClickException where none does."""
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
                "Without a terminal bi-mcp cannot ask for this: {question}. Run `bi-mcp login` in a terminal, or pass --client-id with --client-secret-env or --client-secret-stdin.",
                question=question,
            )
        ) from None
    return answer
