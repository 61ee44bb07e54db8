"""The errors of a replacement that did not come about: the columns that are there now, those that are missing, and what adds them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from bi_mcp.base.advice import AdviceKind, advise
from bi_mcp.base.language import say
from bi_mcp.errors import BiMcpError, InterruptedWriteError

if TYPE_CHECKING:
    from bi_mcp.rest.column_exchange import ColumnExchange
    from bi_mcp.rest.models import Column, NewColumn


def put_back(
    plan: ColumnExchange, present: Sequence[Column], error: BiMcpError, remarks: Sequence[str]
) -> InterruptedWriteError:
    """The error for columns that are all as they were, but for their ids."""
    return InterruptedWriteError(
        say(
            "The columns were not replaced. The former ones are there again, with new ids: {columns}. {error}",
            error=_join(error, *remarks),
            columns=tell_present(plan.find_former(present)),
        ),
        method=plan.method,
        outcome="not_done",
    )


def lose(
    plan: ColumnExchange,
    error: BiMcpError,
    failures: Sequence[str] = (),
    present: Sequence[Column] | None = None,
) -> InterruptedWriteError:
    """The error for columns that are missing: which, what is in their places, and what to add, in the words of the door.

    Without `present` the dataset could not be read, and all of them may be missing.
    """
    missing = plan.former if present is None else plan.missing(present)
    wire = [column.to_wire() for column in missing]
    columns = ", ".join(f"{each['name']} ({each['externalCode']}, {each['type']})" for each in wire)
    arguments = json.dumps({"id": plan.dataset, "add": wire}, ensure_ascii=False)
    return InterruptedWriteError(
        say(
            "The columns were not replaced, and the former ones could not be put back: dataset {id} may lack {columns}. {why} {advice}",
            id=plan.dataset,
            columns=columns,
            why=_join(*_tell_found(plan, present, missing), error, *failures),
            advice=advise(AdviceKind.ADD_COLUMNS, id=plan.dataset, columns=columns, arguments=arguments),
        ),
        method=plan.method,
        outcome="partly",
    )


def _tell_found(
    plan: ColumnExchange, present: Sequence[Column] | None, missing: Sequence[NewColumn]
) -> Iterator[str]:
    if present is None:
        yield say("The dataset could not be read afterwards.")
        return
    rivals = plan.find_in_the_way(present, missing)
    if rivals:
        yield say(
            "Another change has taken their names or codes: {columns}. Decide which are wanted.",
            columns=tell_present(rivals),
        )
    back = plan.find_former(present)
    if back:
        yield say("There again, with new ids: {columns}.", columns=tell_present(back))


def tell_present(columns: Iterable[Column]) -> str:
    """`7 TITLE (title, string)`, for each column."""
    return ", ".join(
        f"{column.id} {column.name} ({column.external_code}, {column.type})" for column in columns
    )


def _join(*parts: object) -> str:
    return " ".join(text for text in map(str, parts) if text)
