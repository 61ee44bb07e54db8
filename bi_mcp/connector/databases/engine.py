"""The engine of SQLAlchemy for a database. What an address got wrong is found here, before anything is connected to."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa
from sqlalchemy.pool import QueuePool

from bi_mcp.base.language import say, text
from bi_mcp.connector.databases.addresses import Target
from bi_mcp.connector.options import SourceOptions
from bi_mcp.errors import ConfigError

# Seconds. A caller waits a while for one of the connections; a connection is not used for ever, as networks forget it.
POOL_WAIT = 5
RECYCLED_AFTER = 900
# Beside the answers: for questions about tables, which are short.
SPARE_CONNECTIONS = 2

# With options in the address, and without.
_UNUSABLE = {
    True: text(
        "The options after the ? of the address cannot be used ({kind}). Correct them, or leave them out."
    ),
    False: text(
        "The address of the database cannot be used ({kind}). Correct its host, its port and the name of the database."
    ),
}


def build_engine(target: Target, options: SourceOptions) -> sa.Engine:
    """Build an engine. Raises ConfigError, which names no value of the address."""
    try:
        engine = sa.create_engine(
            target.url,
            poolclass=QueuePool,
            pool_size=options.connections,
            max_overflow=SPARE_CONNECTIONS,
            pool_timeout=POOL_WAIT,
            pool_pre_ping=True,
            pool_recycle=RECYCLED_AFTER,
            connect_args=dict(connect_arguments(target, options)),
            hide_parameters=True,
            # A cache of compiled statements keeps each length of a list: megabytes a piece. Compiling takes a millisecond.
            query_cache_size=0,
        )
        _, keywords = engine.dialect.create_connect_args(target.url)
    except Exception as error:  # noqa: BLE001  libraries raise what they like for an option that they do not understand
        raise ConfigError(say(_UNUSABLE[bool(target.url.query)], kind=type(error).__name__)) from None
    _refuse_unknown_options(target, keywords)
    return engine


def connect_arguments(target: Target, options: SourceOptions) -> Mapping[str, Any]:
    """Collect what the driver is given beside the address."""
    return {**target.dialect.connect(options), **target.dialect.stay(target.url)}


def _refuse_unknown_options(target: Target, keywords: Mapping[str, Any]) -> None:
    known = target.dialect.driver_options()
    unknown = [name for name in target.url.query if name in keywords and name not in known]
    if known and unknown:
        raise ConfigError(
            say(
                "The address has an option {name} that the driver {driver} does not know. Leave it out, or correct its name.",
                name=repr(unknown[0][:40]),
                driver=target.dialect.module,
            )
        )
