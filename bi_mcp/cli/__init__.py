"""The command line: parses and prints, decides nothing. One file per family of commands."""

from __future__ import annotations

import sys
from typing import Any

import click
from click.core import ParameterSource

from bi_mcp import __version__
from bi_mcp.cli.account import login, logout, profiles
from bi_mcp.cli.chart import chart
from bi_mcp.cli.completion import completion
from bi_mcp.cli.diagnosis import check, diagnose, preview, propose, tables
from bi_mcp.cli.doctor import doctor
from bi_mcp.cli.history import history, undo
from bi_mcp.cli.install import install, uninstall
from bi_mcp.cli.map import map_portal
from bi_mcp.cli.practice import demo, portal, sample
from bi_mcp.cli.secret import secret
from bi_mcp.cli.serve import serve
from bi_mcp.cli.setup import adopt, apply, export, plan, schema
from bi_mcp.cli.streams import use_utf8
from bi_mcp.errors import BiMcpError
from bi_mcp.language import LANGUAGES, Language, say, speak, speaking_in_terminal
from bi_mcp.workspace.acting import acting

CONTEXT = {"help_option_names": ["-h", "--help"]}


class Commands(click.Group):
    """Shows errors raised on purpose as one message instead of a stack trace."""

    def make_context(
        self, info_name: str | None, args: list[str], parent: click.Context | None = None, **extra: Any
    ) -> click.Context:
        """Read the arguments; from here on things are printed."""
        use_utf8()
        return super().make_context(info_name, args, parent, **extra)

    def invoke(self, ctx: click.Context) -> object:
        """Run the command."""
        with speaking_in_terminal():
            return self._told(ctx)

    def _told(self, ctx: click.Context) -> object:
        from bi_mcp.config import language_in_terminal, wants_no_colour

        if wants_no_colour():
            ctx.color = False
        try:
            if ctx.get_parameter_source("language") in {None, ParameterSource.DEFAULT}:
                speak(language_in_terminal())
            return super().invoke(ctx)
        except BiMcpError as error:
            from bi_mcp.diagnostics.endpoint_rules import advised

            raise click.ClickException(advised(error)) from None
        except OSError as error:
            if error.filename is None:
                raise
            raise click.ClickException(
                say(
                    "{file} cannot be read or written ({kind}). Check that its folder exists and that you may use it.",
                    file=error.filename,
                    kind=type(error).__name__,
                )
            ) from None


def _speak(_: click.Context, __: click.Parameter, chosen: Language | None) -> None:
    if chosen is not None:
        speak(chosen)


class LanguageOption(click.Option):
    """`--language`, of bi-mcp itself and of every command."""

    def __init__(self) -> None:
        super().__init__(
            ["--language"],
            type=click.Choice(LANGUAGES),
            expose_value=False,
            is_eager=True,
            callback=_speak,
            help="Language of errors, findings and previews. Default: BI_MCP_LANGUAGE, or the system's.",
        )


@click.group(cls=Commands, invoke_without_command=True, context_settings=CONTEXT)
@click.version_option(__version__, prog_name="bi-mcp")
@click.pass_context
def main(ctx: click.Context) -> None:
    r"""Configure Bitrix24 BI connections from an assistant.

    Without a command bi-mcp is an MCP server on standard input and output, as Claude Code, Cursor and other
    clients start it. Without a configured portal it works on an embedded practice portal.

    \b
    Examples:
      bi-mcp demo
      bi-mcp login https://acme.bitrix24.com
      bi-mcp install claude-desktop
    """
    if ctx.invoked_subcommand is not None:
        ctx.with_resource(acting(f"bi-mcp {ctx.invoked_subcommand}"))
        return
    if sys.stdin.isatty():
        # A person typed it: waiting silently for JSON would look like a hang.
        click.echo(ctx.get_help())
        return
    ctx.invoke(serve)


DIAGNOSIS = (check, tables, propose, preview, diagnose)
SETUP = (export, plan, apply, adopt, schema)

for command in (
    serve,
    install,
    uninstall,
    login,
    logout,
    profiles,
    secret,
    doctor,
    map_portal,
    *DIAGNOSIS,
    *SETUP,
    history,
    undo,
    chart,
    demo,
    portal,
    sample,
    completion,
):
    command.params.append(LanguageOption())
    main.add_command(command)

main.params.append(LanguageOption())


def _keep_lines(command: click.Command) -> None:
    """Docstrings with a backslash are raw; what keeps click from wrapping the next paragraph is the character."""
    command.help = (command.help or "").replace("\\b\n", "\b\n")
    if isinstance(command, click.Group):
        for each in command.commands.values():
            _keep_lines(each)


_keep_lines(main)
