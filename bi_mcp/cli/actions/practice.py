"""The actions of `bi-mcp portal` and `sample`."""

from __future__ import annotations

import socket
import sys

import click

from bi_mcp.base.language import say
from bi_mcp.config import Culture
from bi_mcp.practice.run import serve_portal, serve_sample


def run_portal(
    port: int, culture: Culture | None, users: tuple[str, ...] = (), sign_in: str | None = None
) -> None:
    """Run the practice portal until a signal comes."""
    _check_port(port)
    serve_portal(port, announce=click.echo, culture=culture, users=users, sign_in=sign_in)


def run_sample(port: int, data: str | None, login: str, culture: str | None) -> None:
    """Run the sample connector until a signal comes."""
    _check_port(port)
    serve_sample(port, data, login, announce=click.echo, culture=culture)


def _check_port(port: int) -> None:
    """Check the port before anything is announced: an address on which another program answers would be taken for ours."""
    with socket.socket() as trial:
        if sys.platform != "win32":
            # As the server does: a port that was just left is free.
            trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            trial.bind(("127.0.0.1", port))
        except OSError as error:
            raise click.ClickException(
                say(
                    "Port {port} of 127.0.0.1 cannot be used ({reason}). End the program that uses it, or choose another: --port {other}.",
                    port=port,
                    reason=error.strerror or type(error).__name__,
                    other=port + 10 if port < 65000 else 8780,
                )
            ) from None
