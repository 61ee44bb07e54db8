"""`bi-mcp sign-ins`."""

from __future__ import annotations

import click

from bi_mcp.base.language import say


@click.group("sign-ins", short_help="Show and revoke what people connected to this server.")
def sign_ins() -> None:
    r"""Show who signed in to a server that runs with --sign-in, and which clients they connected. Revoke that.

    Works on the server's own store: Redis where BI_MCP_SHARED_STORE and BI_MCP_SHARED_KEY name one, else the configuration folder.

    \b
    Examples:
      bi-mcp sign-ins list
      bi-mcp sign-ins revoke --user acme.bitrix24.com:12
    """


@sign_ins.command("list", short_help="Show people and their clients.")
@click.option("--portal", metavar="HOST", help="Only people of this portal.")
@click.option("--json", "as_json", is_flag=True, help="Print the clients as JSON.")
def list_sign_ins(portal: str | None, as_json: bool) -> None:
    r"""Show each connected client: portal, user, client, rights, when it was connected and last used. Tokens are never shown.

    \b
    Examples:
      bi-mcp sign-ins list
      bi-mcp sign-ins list --portal acme.bitrix24.com --json
    """
    from bi_mcp.cli.actions.sign_ins import print_sign_ins

    print_sign_ins(portal, as_json=as_json)


@sign_ins.command("revoke", short_help="Withdraw the tokens of a person or a client.")
@click.option(
    "--user", metavar="HOST:ID", help="All clients of this user of a portal, and their portal login."
)
@click.option("--client", metavar="ID", help="This client only, by the id that `bi-mcp sign-ins list` shows.")
@click.option("--all", "everybody", is_flag=True, help="All clients and portal logins of everybody.")
@click.option("--yes", is_flag=True, help="Do not ask.")
def revoke_sign_ins(user: str | None, client: str | None, *, everybody: bool, yes: bool) -> None:
    r"""Withdraw tokens at once, on all replicas. Whoever is concerned can sign in again, unless the server no longer lets them in.

    With the last client of a person their portal login is forgotten, too. Shows what would be withdrawn, and asks.

    \b
    Examples:
      bi-mcp sign-ins revoke --user acme.bitrix24.com:12
      bi-mcp sign-ins revoke --client 9c41d0e25b7f4a6c8d3e1f2a5b6c7d8e
      bi-mcp sign-ins revoke --all --yes
    """
    if (user is not None) + (client is not None) + everybody != 1:
        raise click.UsageError(say("Say what to revoke, with one of --user HOST:ID, --client ID and --all."))
    from bi_mcp.cli.actions.sign_ins import revoke

    revoke(user, client, yes=yes)
