"""What the server writes to standard error: plain lines, or one JSON object a line for machines. Never a value of a setting."""

from __future__ import annotations

import json
import logging
import sys
from datetime import UTC, datetime
from typing import Literal, get_args

from bi_mcp.secret import MASK

LogFormat = Literal["text", "json"]
LogLevel = Literal["debug", "info", "warning", "error"]
LOG_FORMATS: tuple[LogFormat, ...] = get_args(LogFormat)
LOG_LEVELS: tuple[LogLevel, ...] = get_args(LogLevel)


class JsonFormatter(logging.Formatter):
    """One object a line: time (UTC), level, logger, message, and the class of an exception."""

    def format(self, record: logging.LogRecord) -> str:
        entry = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
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


def hide_headers_of_answers() -> None:
    """Keep the headers of answers out of the log: who answers may have put there whatever was sent to it."""
    for carrier in ("httpcore", "httpcore2"):
        for protocol in ("http11", "http2"):
            logging.getLogger(f"{carrier}.{protocol}").addFilter(_without_headers)


def _without_headers(record: logging.LogRecord) -> bool:
    text = record.getMessage()
    if text.startswith("receive_response_headers.complete"):
        record.msg, record.args = f"receive_response_headers.complete {MASK}", ()
    return True
