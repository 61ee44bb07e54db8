"""The action of `bi-mcp connector setup`."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import anyio
import click

from bi_mcp.base.language import say
from bi_mcp.cli.actions.connector_asked import KEY_VARIABLE, AskedSource, open_sources
from bi_mcp.errors import ConfigError
from bi_mcp.setup.connector_asking import ask_source
from bi_mcp.setup.connector_setup import ServedSource, propose_setup
from bi_mcp.setup.file import write_setup
from bi_mcp.vault.setting_values import EnvReference, SecretReference


def print_setup(
    url: str, names: tuple[str, ...], file: Path | None, secret: str | None, **options: Any
) -> None:
    """Print the setup file of a connector, and to the other stream how the key gets to whoever applies it."""
    proposed = propose_setup(
        url,
        anyio.run(_ask, url, names, file, options),
        SecretReference(secret=secret) if secret else EnvReference(env=KEY_VARIABLE),
    )
    key = _about_the_key(url, secret)
    beginning = [
        say(
            "Made by `bi-mcp connector setup`. Delete the datasets and columns that nobody needs, then `bi-mcp apply`."
        ),
        key,
    ]
    click.echo(write_setup(proposed.setup, remarks={(): beginning, **proposed.remarks}), nl=False)
    for place, lines in proposed.remarks.items():
        for line in lines:
            click.echo(f"· {'.'.join(map(str, place))}: {line}", err=True)
    click.echo(f"· {key}", err=True)


async def _ask(
    url: str, names: tuple[str, ...], file: Path | None, options: dict[str, Any]
) -> list[ServedSource]:
    async with open_sources(url, names, file, options) as sources:
        return [await _ask_one(asked) for asked in sources]


async def _ask_one(asked: AskedSource) -> ServedSource:
    if asked.trouble:
        raise ConfigError(
            say("The source {name} cannot be asked: {error}", name=asked.name, error=asked.trouble)
        )
    served = await ask_source(asked.caller, asked.url, asked.name, asked.key, asked.tables)
    return replace(served, notes=asked.remarks.of_source, notes_of_tables=asked.remarks.of_tables)


def _about_the_key(url: str, secret: str | None) -> str:
    if secret is None:
        return say(
            "{variable} stands for the access key: set it where the file is applied.", variable=KEY_VARIABLE
        )
    host = url.partition("://")[2].partition("/")[0]
    return say(
        "The stored secret {name} is the access key: `bi-mcp secret set {name} --for {host}` stores it.",
        name=secret,
        host=host,
    )
