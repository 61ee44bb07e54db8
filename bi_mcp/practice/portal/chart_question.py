"""A chart's question: BI Builder's request to the portal, and its JSON form on the practice route."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Literal, TypeAlias, TypeGuard, get_args

from bi_mcp.practice.portal.answers import ModuleFault
from bi_mcp.practice.portal.chart_dates import parse_moment
from bi_mcp.practice.portal.parameters import as_boolean, as_integer, as_mapping, as_sequence

OperatorName = Literal["one of", "contains", "between", ">", ">=", "<", "<=", "empty"]
OPERATOR_NAMES: tuple[OperatorName, ...] = get_args(OperatorName)


@dataclass(frozen=True)
class ChartCondition:
    """One condition on a column, by its name. `exclude` turns it round; dates among the values are ISO."""

    column: str
    operator: OperatorName
    values: tuple[str, ...] = ()
    exclude: bool = False


Group: TypeAlias = tuple[ChartCondition, ...]


@dataclass(frozen=True)
class ChartDateRange:
    """Days from `start` to `end`, both included. Without a column the dataset's first visible time column counts."""

    start: date | None = None
    end: date | None = None
    column: str | None = None


@dataclass(frozen=True)
class ChartQuestion:
    """Question of a chart: of each group one member must hold. Without columns it asks for all visible ones."""

    dataset: int | str
    columns: tuple[str, ...] = ()
    dates: ChartDateRange | None = None
    groups: tuple[Group, ...] = ()
    limit: int | None = None


def refuse_question(text: str) -> ModuleFault:
    """Build the refusal of a question that a chart could not ask."""
    return ModuleFault("CHART_QUESTION", text)


def parse_question(given: Mapping[str, object]) -> ChartQuestion:
    """Read a question from JSON.

    Raises `ModuleFault`: CHART_QUESTION, which names the wrong part.
    """
    return ChartQuestion(
        dataset=_dataset(given.get("dataset")),
        columns=tuple(_texts(given.get("columns"), "columns")),
        dates=_dates(given.get("dates")),
        groups=tuple(_group(each) for each in _as_list(given.get("where"), "where")),
        limit=_limit(given.get("limit")),
    )


def _dataset(given: object) -> int | str:
    number = as_integer(given)
    if number is not None:
        return number
    if isinstance(given, str) and given:
        return given
    raise refuse_question("dataset must be the id or the name of a dataset.")


def _limit(given: object) -> int | None:
    if given is None:
        return None
    number = as_integer(given)
    if number is None or number < 1:
        raise refuse_question("limit must be a whole number of rows above 0.")
    return number


def _dates(given: object) -> ChartDateRange | None:
    if given is None:
        return None
    parts = as_mapping(given)
    if parts is None or not {"from", "to"} & set(parts):
        raise refuse_question('dates must be an object with "from", "to" or both, and perhaps "column".')
    return ChartDateRange(_day(parts.get("from")), _day(parts.get("to")), _optional_text(parts.get("column")))


def _day(given: object) -> date | None:
    if given is None:
        return None
    moment = parse_moment(given) if isinstance(given, str) and len(given) == len("2025-12-31") else None
    if moment is None:
        raise refuse_question(f"A date range takes days such as 2025-12-31, not {_quote(given)}.")
    return moment.date()


def _group(given: object) -> Group:
    members = as_sequence(given) if isinstance(given, list) else [given]
    if not members:
        raise refuse_question("A group in where needs one condition at least.")
    return tuple(_condition(member) for member in members)


def _condition(given: object) -> ChartCondition:
    parts = as_mapping(given) or {}
    operator = parts.get("operator")
    if not _is_operator(operator):
        raise refuse_question(
            f"A condition's operator must be one of {', '.join(OPERATOR_NAMES)}, not {_quote(operator)}."
        )
    exclude = as_boolean(parts.get("exclude", False))
    column = _optional_text(parts.get("column"))
    if exclude is None or column is None:
        raise refuse_question("A condition needs a column, and its exclude must be true or false.")
    return ChartCondition(column, operator, tuple(_texts(parts.get("values"), "values")), exclude)


def _is_operator(given: object) -> TypeGuard[OperatorName]:
    return given in OPERATOR_NAMES


def _quote(given: object) -> str:
    """Quote a text; of anything else name the type, since its text may be endless."""
    return f"{given!r:.80}" if isinstance(given, str) else f"a value of type {type(given).__name__}"


def _optional_text(given: object) -> str | None:
    return given if isinstance(given, str) and given else None


def _texts(given: object, name: str) -> list[str]:
    values = _as_list(given, name)
    if any(isinstance(value, bool) or not isinstance(value, str | int | float) for value in values):
        raise refuse_question(f"{name} must be a list of texts or numbers.")
    texts = [str(value) for value in values]
    if any("\ud800" <= character <= "\udfff" for text in texts for character in text):
        raise refuse_question(f"{name} holds half of a surrogate pair, which is not a character.")
    return texts


def _as_list(given: object, name: str) -> list[object]:
    sequence = as_sequence([] if given is None else given)
    if sequence is None:
        raise refuse_question(f"{name} must be a list.")
    return sequence
