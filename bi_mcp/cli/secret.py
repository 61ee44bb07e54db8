"""`bi-mcp secret`."""

from __future__ import annotations

import json
import sys
from collections import Counter
from typing import TYPE_CHECKING, cast

import click

from bi_mcp.base.language import say, text

if TYPE_CHECKING:
    from bi_mcp.base.secret import Secret
    from bi_mcp.vault.keyring import Keeper
    from bi_mcp.vault.named_secrets import NamedSecrets
    from bi_mcp.vault.secret_index import NamedSecret

# By where the value is kept.
STORED = {
    "keyring": text("Stored {name} in the system keyring, for {hosts}."),
    "file": text("Stored {name} in the private file, for {hosts}."),
}
REPLACED = {
    "keyring": text("Replaced {name} in the system keyring, for {hosts}."),
    "file": text("Replaced {name} in the private file, for {hosts}."),
}


@click.group(short_help="Store passwords that an assistant uses and never sees.")
def secret() -> None:
    r"""Store secrets under names. An assistant passes {"secret": "NAME"}; the value goes only to the hosts that you name.

    \b
    Example:
      bi-mcp secret set warehouse --for connector.acme.example
    """


@secret.command("set", short_help="Store a secret for the hosts that it may be sent to.")
@click.argument("name")
@click.option(
    "--for",
    "hosts",
    metavar="HOST[:PORT]",
    multiple=True,
    required=True,
    help="Exact host that it may be sent to; may be given several times. With http:// before it also unencrypted.",
)
@click.option(
    "--keep-in", type=click.Choice(["keyring", "file"]), help="Default: the keyring where there is one."
)
def set_secret(name: str, hosts: tuple[str, ...], keep_in: str | None) -> None:
    r"""Store a secret as NAME, in place of what had that name. The value is asked for, or read from a pipe; it is no argument.

    HOST is the host of the connector's endpoints, by https on the usual port unless you say otherwise.

    \b
    Examples:
      bi-mcp secret set warehouse --for connector.acme.example
      pass show warehouse | bi-mcp secret set warehouse --for connector.acme.example:8443
      bi-mcp secret set test --for http://connector.test.example:8080
    """
    from bi_mcp.vault.destinations import parse_host
    from bi_mcp.vault.named_secrets import check_secret_name

    # Before a person types a value in vain.
    check_secret_name(name)
    bound = list(dict.fromkeys(map(parse_host, hosts)))
    stored = _open_secrets()
    replaced = name in stored.known()
    stored.store(name, _asked_value(name), bound, cast("Keeper | None", keep_in))
    kept = stored.known()[name]
    told = REPLACED[kept.keeper] if replaced else STORED[kept.keeper]
    click.echo(say(told, name=name, hosts=", ".join(kept.hosts)))
    click.echo(say('An assistant uses it as {{"secret": "{name}"}}.', name=name))


@secret.command("list", short_help="Show names and hosts, no values.")
@click.option("--json", "as_json", is_flag=True, help="Print the list as JSON.")
def list_secrets(as_json: bool) -> None:
    r"""Show the stored secrets: name, hosts, and when each was set, and of which former values are remembered. Values are never shown.

    \b
    Examples:
      bi-mcp secret list
      bi-mcp secret list --json
    """
    index = _open_secrets().index()
    known = index.known.values()
    if as_json:
        shown = {"secrets": [_as_json(each) for each in known]}
        former = [_as_json(each) | {"replaced": each.replaced_at} for each in index.former]
        click.echo(json.dumps(shown | ({"former": former} if former else {}), indent=2))
        return
    if not known:
        click.echo(say("No secrets are stored. `bi-mcp secret set NAME --for HOST` stores one."))
    width = max((len(each.name) for each in known), default=0)
    for each in known:
        told = say(
            "for {hosts}  set {moment}, kept in {keeper}",
            hosts=", ".join(each.hosts),
            moment=each.set_at,
            keeper=each.keeper,
        )
        click.echo(f"{each.name:{width}}  {told}")
    if index.former:
        counted = Counter(each.name for each in index.former)
        click.echo(
            say(
                "Former values are remembered by their fingerprints: {counted}. Sources that hold one stay bound to its hosts. `bi-mcp secret forget-former NAME` forgets them.",
                counted=", ".join(f"{name} ({count})" for name, count in sorted(counted.items())),
            )
        )


def _as_json(secret: NamedSecret) -> dict[str, object]:
    return {"name": secret.name, "hosts": secret.hosts, "set": secret.set_at, "keptIn": secret.keeper}


@secret.command("remove", short_help="Forget a secret.")
@click.argument("name")
def remove_secret(name: str) -> None:
    r"""Delete the secret NAME from this machine. Sources that already hold its value on a portal keep it, and stay bound to its hosts.

    \b
    Example:
      bi-mcp secret remove warehouse
    """
    _open_secrets().remove(name)
    click.echo(
        say(
            "The secret {name} is gone from this machine. Sources on a portal keep the value that they hold and stay bound to its hosts until `bi-mcp secret forget-former {name}`.",
            name=name,
        )
    )


@secret.command("forget-former", short_help="Forget what secrets were before.")
@click.argument("names", metavar="NAME...", nargs=-1, required=True)
def forget_former(names: tuple[str, ...]) -> None:
    r"""Forget the fingerprints of former values of the secrets NAME. Sources on a portal that still hold one are no longer bound to its hosts.

    Do it when the former passwords open nothing any more.

    \b
    Example:
      bi-mcp secret forget-former warehouse
    """
    _open_secrets().forget_former(names)
    click.echo(
        say(
            "Former values of {names} are forgotten. Sources that still hold one are no longer bound to its hosts.",
            names=", ".join(names),
        )
    )


def _open_secrets() -> NamedSecrets:
    from bi_mcp.config import configuration_folder
    from bi_mcp.vault.named_secrets import NamedSecrets

    return NamedSecrets(configuration_folder())


def _asked_value(name: str) -> Secret:
    from bi_mcp.base.secret import Secret

    if not sys.stdin.isatty():
        return _piped_value()
    asked = say("Value of {name} (not shown)", name=name)
    return Secret(click.prompt(asked, hide_input=True, confirmation_prompt=say("The same again")))


def _piped_value() -> Secret:
    """Read all of the input except one line end, as with a file."""
    from bi_mcp.base.secret import Secret
    from bi_mcp.vault.named_secrets import MAX_VALUE_BYTES

    piped = sys.stdin.buffer.read(MAX_VALUE_BYTES + 3)
    try:
        return Secret(piped.decode().removesuffix("\n").removesuffix("\r"))
    except UnicodeDecodeError:
        # The text of this exception holds the bytes.
        raise click.ClickException(
            say("The input is not UTF-8 text. Nothing was stored: send the value as UTF-8.")
        ) from None
