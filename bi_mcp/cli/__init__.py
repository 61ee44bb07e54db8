"""The command line: parses and prints, decides nothing. One file per family of commands."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import click
from click.core import ParameterSource

from bi_mcp import __version__
from bi_mcp.base.advice import use_words
from bi_mcp.base.language import LANGUAGES, Language, say, speak
from bi_mcp.cli.account import login, logout, profiles
from bi_mcp.cli.advice import WORDS
from bi_mcp.cli.completion import completion
from bi_mcp.cli.connector import connector
from bi_mcp.cli.diagnosis import check, diagnose, doctor, map_portal, preview, profile, propose, tables
from bi_mcp.cli.history import history, undo
from bi_mcp.cli.install import install, uninstall
from bi_mcp.cli.practice import chart, demo, portal, sample
from bi_mcp.cli.secret import secret
from bi_mcp.cli.serve import serve
from bi_mcp.cli.setup import adopt, apply, export, plan, schema
from bi_mcp.cli.sign_ins import sign_ins
from bi_mcp.cli.streams import room_for_output, use_utf8
from bi_mcp.config import language_in_terminal, wants_no_colour
from bi_mcp.errors import BiMcpError, ConfigError
from bi_mcp.history.actor import acting

CONTEXT = {"help_option_names": ["-h", "--help"]}


class CommandGroup(click.Group):
    """Shows errors raised on purpose as one message instead of a stack trace."""

    def main(self, args: Sequence[str] | None = None, *more: Any, **extra: Any) -> Any:
        """Run the command line in its language, which help and wrong arguments need before an option is read."""
        language = _wished_language(sys.argv[1:] if args is None else args)
        speak(language)
        with room_for_output():
            return self._main_in(language, args, *more, **extra)

    def _main_in(self, language: Language, args: Sequence[str] | None, *more: Any, **extra: Any) -> Any:
        if language == "en":
            return super().main(args, *more, **extra)
        # Imported here: English does not need it.
        from bi_mcp.cli.help_texts import click_speaking, translate_command

        with click_speaking(language):
            return super(CommandGroup, translate_command(self)).main(args, *more, **extra)

    def make_context(
        self, info_name: str | None, args: list[str], parent: click.Context | None = None, **extra: Any
    ) -> click.Context:
        """Read the arguments; from here on things are printed."""
        use_utf8()
        return super().make_context(info_name, args, parent, **extra)

    def invoke(self, ctx: click.Context) -> object:
        """Run the command."""
        ctx.with_resource(use_words(WORDS))
        if wants_no_colour():
            ctx.color = False
        try:
            if ctx.get_parameter_source("language") in {None, ParameterSource.DEFAULT}:
                speak(language_in_terminal())
            return super().invoke(ctx)
        except BiMcpError as error:
            from bi_mcp.diagnostics.findings.endpoint_rules import add_advice

            raise click.ClickException(add_advice(error)) from None
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


def _wished_language(args: Sequence[str]) -> Language:
    """The language that the arguments name, wherever they do; else that of the system."""
    words = [word for given in args for word in given.split("=", 1)]
    for option, value in pairwise(words):
        if option == "--language" and value in LANGUAGES:
            return next(known for known in LANGUAGES if known == value)
    try:
        return language_in_terminal()
    except ConfigError:
        # The command itself reports the error in the variable; its help does not depend on it.
        return "en"


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
            help="Language of help, errors, findings and previews. Default: BI_MCP_LANGUAGE, or the system's.",
        )


@click.group(cls=CommandGroup, invoke_without_command=True, context_settings=CONTEXT)
@click.version_option(__version__, prog_name="bi-mcp")
@click.pass_context
def main(ctx: click.Context) -> None:
    r"""Configure Bitrix24 BI connections from an assistant.

    Without a command bi-mcp is an MCP server on standard input and output, as Claude Code, Cursor and other
    clients start it. Without a configured portal it works on the practice portal.

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


for command in (
    serve,
    sign_ins,
    install,
    uninstall,
    login,
    logout,
    profiles,
    secret,
    doctor,
    map_portal,
    check,
    tables,
    propose,
    preview,
    profile,
    diagnose,
    export,
    plan,
    apply,
    adopt,
    schema,
    connector,
    history,
    undo,
    chart,
    demo,
    portal,
    sample,
    completion,
):
    main.add_command(command)


def _complete(command: click.Command) -> None:
    """Give a command and all below it what every one has: a language, and examples whose lines Click leaves as they are."""
    command.params.append(LanguageOption())
    # Docstrings with a backslash are raw; what keeps Click from wrapping the next paragraph is the character.
    command.help = (command.help or "").replace("\\b\n", "\b\n")
    if isinstance(command, click.Group):
        for each in command.commands.values():
            _complete(each)


_complete(main)
