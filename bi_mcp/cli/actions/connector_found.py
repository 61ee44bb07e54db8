"""What a connector found in its sources, said when it starts."""

from __future__ import annotations

import contextvars
import threading
from collections.abc import Iterator, Mapping

import click

from bi_mcp.base.language import say, say_count
from bi_mcp.config import connector_password_variable
from bi_mcp.connector.addresses import is_database, show_address
from bi_mcp.connector.configuration import Configuration
from bi_mcp.connector.refusal import RefusalError
from bi_mcp.connector.remarks import find_remarks, find_unknown_names
from bi_mcp.connector.source import Source

# So many tables of a source are named.
_TABLES_NAMED = 12


def tell_sources(configuration: Configuration, sources: Mapping[str, Source]) -> None:
    """Say what each source holds, beside the serving: a database may take long to say that it is not there."""
    for name, source in sources.items():
        context = contextvars.copy_context()
        arguments = (_tell, name, configuration.sources[name].plain, source)
        threading.Thread(target=context.run, args=arguments, daemon=True).start()


def _tell(name: str, address: str, source: Source) -> None:
    where = f"{name} ({show_address(address)})"
    try:
        # The guesses first: a file that cannot be read is found when it is loaded, and is no table then.
        guesses = [] if is_database(address) else list(_describe_guesses(source))
        warnings = [unknown.describe(name) for unknown in find_unknown_names(source)]
        lines = [
            _list_tables(where, source),
            *(say("Warning: {warning}", warning=warning) for warning in warnings),
            *guesses,
        ]
    except RefusalError as error:
        lines = [
            say(
                "{source} does not answer just now: {reason} The connector asks it again with each request.",
                source=where,
                reason=error.tell(connector_password_variable(name)),
            )
        ]
    # As one text: lines of several sources must not mix.
    click.echo("\n".join(lines))


def _list_tables(where: str, source: Source) -> str:
    tables = list(source.tables())
    named = ", ".join(tables[:_TABLES_NAMED]) + (", …" if len(tables) > _TABLES_NAMED else "")
    return say_count(
        "{source}: {count} table: {tables}",
        "{source}: {count} tables: {tables}",
        len(tables),
        source=where,
        tables=named,
    )


def _describe_guesses(source: Source) -> Iterator[str]:
    """What was guessed about files, and what of them is not served. To ask every table of a database would take long."""
    remarks = find_remarks(source)
    yield from (f"  {line}" for line in remarks.of_source)
    for table, lines in remarks.of_tables.items():
        yield from (f"  {table}: {line}" for line in lines)
