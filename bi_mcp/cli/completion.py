"""`bi-mcp completion`."""

from __future__ import annotations

import click

from bi_mcp.base.language import say

PROGRAM = "bi-mcp"
# The variable that click derives from the program's name.
VARIABLE = "_BI_MCP_COMPLETE"


@click.command(short_help="Print what completes commands in a shell.")
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def completion(ctx: click.Context, shell: str) -> None:
    r"""Print a script that completes bi-mcp's commands and options on the tab key in SHELL.

    \b
    Examples:
      bi-mcp completion fish > ~/.config/fish/completions/bi-mcp.fish
      eval "$(bi-mcp completion bash)"                                    # ~/.bashrc
      eval "$(bi-mcp completion zsh)"                                     # ~/.zshrc
    """
    from click.shell_completion import get_completion_class

    known = get_completion_class(shell)
    if known is None:
        raise click.UsageError(say("{shell} is not known. Choose bash, zsh or fish.", shell=shell))
    click.echo(known(ctx.find_root().command, {}, PROGRAM, VARIABLE).source())
