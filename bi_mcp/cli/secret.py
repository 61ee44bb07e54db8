"""`bi-mcp secret`."""

from __future__ import annotations

from typing import Any

import click

from bi_mcp.cli.options import keep_in_option


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
    help="Exact host that it may be sent to; may be given several times. With http:// in front also unencrypted.",
)
@keep_in_option
def set_secret(**options: Any) -> None:
    r"""Store a secret as NAME; it replaces a secret of that name. bi-mcp asks for the value or reads it from a pipe; it is never an argument.

    HOST is the host of the connector's endpoints, over https on the default port unless you say otherwise.

    \b
    Examples:
      bi-mcp secret set warehouse --for connector.acme.example
      pass show warehouse | bi-mcp secret set warehouse --for connector.acme.example:8443
      bi-mcp secret set test --for http://connector.test.example:8080
    """
    from bi_mcp.cli.actions.secret import store_secret

    store_secret(**options)


@secret.command("list", short_help="Show names and hosts, not values.")
@click.option("--json", "as_json", is_flag=True, help="Print the list as JSON.")
def list_secrets(as_json: bool) -> None:
    r"""Show the stored secrets: name, hosts, when each was set, and which former values are remembered. Values are never shown.

    \b
    Examples:
      bi-mcp secret list
      bi-mcp secret list --json
    """
    from bi_mcp.cli.actions.secret import print_secrets

    print_secrets(as_json=as_json)


@secret.command("remove", short_help="Forget a secret.")
@click.argument("name")
def remove_secret(name: str) -> None:
    r"""Delete the secret NAME from this machine. Sources that already hold its value on a portal keep it, and stay bound to its hosts.

    \b
    Example:
      bi-mcp secret remove warehouse
    """
    from bi_mcp.cli.actions.secret import delete_secret

    delete_secret(name)


@secret.command("forget-former", short_help="Forget former values of secrets.")
@click.argument("names", metavar="NAME...", nargs=-1, required=True)
def forget_former(names: tuple[str, ...]) -> None:
    r"""Forget the fingerprints of former values of the secrets NAME. Sources on a portal that still hold one are no longer bound to its hosts.

    Do it when the former passwords are no longer valid.

    \b
    Example:
      bi-mcp secret forget-former warehouse
    """
    from bi_mcp.cli.actions.secret import forget_former_values

    forget_former_values(names)
