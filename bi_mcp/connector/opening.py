"""Sources, opened by their addresses."""

from __future__ import annotations

from pathlib import Path

from bi_mcp.base.secret import Secret
from bi_mcp.connector.addresses import is_database, refuse_misspelt
from bi_mcp.connector.options import SourceOptions
from bi_mcp.connector.source import Source


def open_source(address: Secret, options: SourceOptions) -> Source:
    """Open a database (an address with a scheme) or files (a path). Raises ConfigError for what cannot become a source.

    A server that does not answer just now is no reason to refuse: it is asked when a request comes.
    """
    refuse_misspelt(address.reveal())
    # Imported here, each where it is needed: both stand on large libraries.
    if is_database(address.reveal()):
        from bi_mcp.connector.databases import open_database

        return open_database(address, options)
    from bi_mcp.connector.files import open_files

    return open_files(Path(address.reveal()), options)
