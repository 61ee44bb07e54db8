"""Options that several commands have."""

from __future__ import annotations

from collections.abc import Callable

import click

Command = Callable[..., None]

profile_option = click.option("--profile", help="Profile to use instead of the default one.")
keep_in_option = click.option(
    "--keep-in", type=click.Choice(["keyring", "file"]), help="Default: the keyring where there is one."
)


def add_options(*options: Callable[[Command], Command]) -> Callable[[Command], Command]:
    """Give a command several options, in this order."""

    def decorate(command: Command) -> Command:
        for option in reversed(options):
            command = option(command)
        return command

    return decorate
