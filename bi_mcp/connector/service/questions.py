"""What each endpoint answers, asked in a worker thread."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import replace
from typing import TypeAlias

import orjson

from bi_mcp.connector.access.access import Access, Served
from bi_mcp.connector.question.brackets import Form, parse_form, parse_named
from bi_mcp.connector.question.query import parse_query, parse_table, parse_text
from bi_mcp.connector.refusal import RefusalError
from bi_mcp.connector.service.reading import Reading
from bi_mcp.connector.service.record import RequestRecord
from bi_mcp.connector.service.slots import SourceSlots
from bi_mcp.connector.source import Answer

Ask: TypeAlias = Callable[[Served, Form], object]


def ask(question: Ask, access: Access, body: bytes, record: RequestRecord) -> bytes:
    """Answer a question whose answer is short, as JSON."""
    served = _identify(access, body, record)
    try:
        return orjson.dumps(question(served, _read(body, record)))
    finally:
        served.release()


def begin_rows(access: Access, slots: SourceSlots, body: bytes, record: RequestRecord) -> Reading:
    """Begin to answer with rows. Raises BusyError if the source gives as many answers as it may."""
    served = _identify(access, body, record)
    held = ExitStack()
    held.callback(served.release)
    answer: Answer | None = None
    try:
        held.enter_context(slots.take(served))
        form = _read(body, record)
        table = parse_table(form)
        query = parse_query(form, served.culture)
        if served.rows is not None:
            query = replace(
                query, limit=served.rows if query.limit is None else min(query.limit, served.rows)
            )
        record.note_question(table, form)
        answer = served.source.rows(table, query)
        return Reading(answer, held.close)
    except BaseException:
        if answer is not None:
            answer.close()
        held.close()
        raise


def _read(body: bytes, record: RequestRecord) -> Form:
    form = parse_form(body)
    record.note_form(form)
    return form


def _identify(access: Access, body: bytes, record: RequestRecord) -> Served:
    # The whole form is read for those alone who have access: of a hostile one much becomes.
    form = parse_named(body, "connection")
    record.note_form(form)
    connection = form.get("connection") or {}
    if not isinstance(connection, dict):
        raise RefusalError(400, "The parameter connection must use brackets, as in connection[…]=….")
    served = access.identify(connection)
    record.source, record.place = served.name, served.place
    return served


def _check(served: Served, _form: Form) -> object:
    served.source.check()
    return {"status": "ok"}


def _tables(served: Served, form: Form) -> object:
    wanted = parse_text(form, "searchString").strip().casefold()
    return [
        {"code": code, "title": title}
        for code, title in served.source.tables().items()
        if wanted in code.casefold() or wanted in title.casefold()
    ]


def _columns(served: Served, form: Form) -> object:
    return [
        {"code": column.code, "name": column.name, "type": column.type}
        for column in served.source.columns(parse_table(form))
    ]


QUESTIONS: Mapping[str, Ask] = {"/check": _check, "/tables": _tables, "/table": _columns}
