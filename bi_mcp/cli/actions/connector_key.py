"""The action of `bi-mcp connector key`."""

from __future__ import annotations

import json

import click

from bi_mcp.base.language import say
from bi_mcp.connector.access.keys import make_key, write_hash


def print_key(*, as_json: bool) -> None:
    """Print a new key and its hash, the only time that it is seen."""
    key = make_key()
    if as_json:
        click.echo(json.dumps({"key": key.reveal(), "hash": write_hash(key)}))
        return
    click.echo(say("Key, for the settings of sources in Bitrix24: {key}", key=key.reveal()))
    click.echo(say("Hash, for the configuration file: {hash}", hash=write_hash(key)))
