"""Logs on standard error: plain lines, or one JSON object a line for machines. Never a value of a setting."""

from __future__ import annotations

import json
import logging
import re
import sys
from datetime import UTC, datetime
from typing import Literal, get_args

from bi_mcp.base.secret import MASK

LogFormat = Literal["text", "json"]
LogLevel = Literal["debug", "info", "warning", "error"]
LOG_FORMATS: tuple[LogFormat, ...] = get_args(LogFormat)
LOG_LEVELS: tuple[LogLevel, ...] = get_args(LogLevel)


_RECEIVED = re.compile(r"(\w+\.(?:complete|failed)(?: exception=\w+)?)[ (]")


class JsonFormatter(logging.Formatter):
    """One object a line: time (UTC), level, logger, message, its facts one by one where it has some, and the class of an exception."""

    def format(self, record: logging.LogRecord) -> str:
        entry = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        entry |= getattr(record, "facts", {})
        if record.exc_info and record.exc_info[0]:
            entry["exception"] = record.exc_info[0].__name__
        return json.dumps(entry, ensure_ascii=False)


def write_logs(form: LogFormat, level: LogLevel) -> None:
    """Write logs of at least this level to standard error: standard output belongs to the protocol."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        JsonFormatter() if form == "json" else logging.Formatter("%(levelname)s %(name)s: %(message)s")
    )
    logging.basicConfig(handlers=[handler], level=level.upper())


def hide_answers_in_logs() -> None:
    """Keep answers out of the log, except for the status: a server may repeat in its answer any secret that it was sent.

    This covers reason phrases, header lines and the exceptions that quote a broken line. Queries of addresses stay out, too.
    """
    for client in ("httpx", "httpx2"):
        logging.getLogger(client).addFilter(_without_reason_phrase)
    for carrier in ("httpcore", "httpcore2"):
        for part in ("connection", "http11", "http2", "proxy", "socks"):
            logging.getLogger(f"{carrier}.{part}").addFilter(_without_answer)


def _without_reason_phrase(record: logging.LogRecord) -> bool:
    # Five values: the verb, the address, the protocol's version, the status and its phrase.
    if isinstance(record.args, tuple) and len(record.args) == 5:
        verb, address, version, status, _ = record.args
        place, query, _ = str(address).partition("?")
        record.msg = 'HTTP Request: %s %s "%s %s"'
        record.args = (verb, f"{place}?{MASK}" if query else place, version, status)
    return True


def _without_answer(record: logging.LogRecord) -> bool:
    """Reduce a record about an answer or a failure to the step and the class of the exception."""
    received = _RECEIVED.match(record.getMessage())
    if received:
        record.msg, record.args = f"{received[1]} {MASK}", ()
    return True
