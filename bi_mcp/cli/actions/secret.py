"""The actions of `bi-mcp secret`."""

from __future__ import annotations

import json
import sys
from collections import Counter

import click

from bi_mcp.base.language import say, text
from bi_mcp.base.secret import Secret
from bi_mcp.config import configuration_folder
from bi_mcp.vault.destinations import parse_host
from bi_mcp.vault.keyring import Keeper
from bi_mcp.vault.named_secrets import MAX_VALUE_BYTES, NamedSecrets, check_secret_name
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


def store_secret(name: str, hosts: tuple[str, ...], keep_in: Keeper | None) -> None:
    """Store a value that is asked for, or read from a pipe."""
    # First, so that nobody types a value in vain.
    check_secret_name(name)
    bound = list(dict.fromkeys(map(parse_host, hosts)))
    secrets = NamedSecrets(configuration_folder())
    replaced = name in secrets.known()
    secrets.store(name, _ask_value(name), bound, keep_in)
    kept = secrets.known()[name]
    stored_as = REPLACED[kept.keeper] if replaced else STORED[kept.keeper]
    click.echo(say(stored_as, name=name, hosts=", ".join(kept.hosts)))
    click.echo(say('An assistant uses it as {{"secret": "{name}"}}.', name=name))


def print_secrets(*, as_json: bool) -> None:
    """Print names and hosts of the stored secrets."""
    index = NamedSecrets(configuration_folder()).index()
    known = index.known.values()
    if as_json:
        listed = {"secrets": [_as_json(each) for each in known]}
        former = [_as_json(each) | {"replaced": each.replaced_at} for each in index.former]
        click.echo(json.dumps(listed | ({"former": former} if former else {}), indent=2))
        return
    if not known:
        click.echo(say("No secrets are stored. `bi-mcp secret set NAME --for HOST` stores one."))
    width = max((len(each.name) for each in known), default=0)
    for each in known:
        facts = say(
            "for {hosts}  set {moment}, kept in {keeper}",
            hosts=", ".join(each.hosts),
            moment=each.set_at,
            keeper=each.keeper,
        )
        click.echo(f"{each.name:{width}}  {facts}")
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


def delete_secret(name: str) -> None:
    """Delete a secret from this machine."""
    NamedSecrets(configuration_folder()).remove(name)
    click.echo(
        say(
            "The secret {name} was deleted from this machine. Sources on a portal keep the value that they hold and stay bound to its hosts until `bi-mcp secret forget-former {name}`.",
            name=name,
        )
    )


def forget_former_values(names: tuple[str, ...]) -> None:
    """Forget the fingerprints of former values."""
    NamedSecrets(configuration_folder()).forget_former(names)
    click.echo(
        say(
            "Former values of {names} are forgotten. Sources that still hold one are no longer bound to its hosts.",
            names=", ".join(names),
        )
    )


def _ask_value(name: str) -> Secret:
    if not sys.stdin.isatty():
        return _piped_value()
    question = say("Value of {name} (not shown)", name=name)
    return Secret(click.prompt(question, hide_input=True, confirmation_prompt=say("The same again")))


def _piped_value() -> Secret:
    """Read all of the input except one line end, as with a file."""
    piped = sys.stdin.buffer.read(MAX_VALUE_BYTES + 3)
    try:
        return Secret(piped.decode().removesuffix("\n").removesuffix("\r"))
    except UnicodeDecodeError:
        # The text of this exception holds the bytes.
        raise click.ClickException(
            say("The input is not UTF-8 text. Nothing was stored: send the value as UTF-8.")
        ) from None
