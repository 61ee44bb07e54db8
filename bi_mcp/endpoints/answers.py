"""Pure: answers of the three endpoints that return arrays, and the rules that they break."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Generic, Literal, NamedTuple, TypeAlias, TypeVar

from bi_mcp.base.language import say, text
from bi_mcp.endpoints.elements import ElementReader

TYPES = frozenset({"int", "string", "double", "date", "datetime", "money", "timezone"})
# Breaches that are reported of one rule, even if a million rows break it.
MOST_REPORTS = 5
MOST_KEYS = 3

Item = TypeVar("Item")

Rule = Literal[
    "not_array",
    "empty_array",
    "element_not_object",
    "empty_code",
    "empty_title",
    "empty_name",
    "empty_type",
    "not_text",
    "zero_as_text",
    "duplicate_code",
    "unknown_type",
    "header_missing",
    "header_not_text",
    "header_duplicate",
    "header_in_codes",
    "header_in_names",
    "column_missing",
    "column_unasked",
    "column_order",
    "row_not_array",
    "ragged_row",
    "nested_value",
    "column_undescribed",
    "limit_ignored",
]


class Breach(NamedTuple):
    """A rule of section 7 that an answer breaks. `detail` may hold codes and types that the endpoint answered."""

    rule: Rule
    where: str
    detail: str = ""


@dataclass(frozen=True)
class EndpointAnswer:
    """Answer of an endpoint: HTTP status, seconds for everything, bytes read (uncompressed), TLS version or None.

    `not_public` is the kind of private address, which Bitrix24's cloud would not call; None for public ones and for a
    connector inside this process. `compressed`: it came compressed, although that was not requested. `is_page`: the
    answer of `urlCheck` is HTML. The names of `headers` are read without regard to case.
    """

    status: int
    seconds: float
    size: int
    tls: str | None = None
    scheme: str = "https"
    in_process: bool = False
    not_public: str | None = None
    compressed: bool = False
    is_page: bool = False
    headers: Mapping[str, str] = field(default_factory=dict, compare=False, repr=False)


class ExternalTable(NamedTuple):
    """A table of the external system. The interface of BI Builder stores its `id`; the endpoints are asked with its `code`."""

    code: str
    title: str
    id: str | None = None

    @property
    def external_code(self) -> str:
        """The `externalCode` for a dataset of this table: a portal passes it on as `table`."""
        return self.code


class DescribedColumn(NamedTuple):
    """A column. `type` is Bitrix24's reading of `answered_type`: a type that it does not know becomes a string.

    Bitrix24 reads types without regard to case, so a known type is in lower case in both.
    """

    code: str
    name: str
    type: str
    answered_type: str = ""


@dataclass(frozen=True)
class ExternalItems(Generic[Item]):
    """The usable tables or columns. `truncated`: there were more than are read."""

    items: list[Item]
    breaches: list[Breach]
    answer: EndpointAnswer
    truncated: bool = False


ListedTables: TypeAlias = ExternalItems[ExternalTable]
Columns: TypeAlias = ExternalItems[DescribedColumn]


@dataclass(frozen=True)
class Rows:
    """Rows below the header as they were answered, ragged ones included. `truncated`: there were more than are read.

    `columns` is the header in the columns' names, as far as the request gave them; elsewhere it is the header itself.
    """

    header: list[str]
    rows: list[list[object]]
    breaches: list[Breach]
    answer: EndpointAnswer
    truncated: bool = False
    columns: list[str] = field(default_factory=list)


@dataclass
class BreachLog:
    """Collector of breaches, of each rule up to a limit."""

    breaches: list[Breach] = field(default_factory=list)
    counts: Counter[Rule] = field(default_factory=Counter)

    def add(self, rule: Rule, where: str, detail: str = "") -> None:
        self.counts[rule] += 1
        if self.counts[rule] <= MOST_REPORTS:
            self.breaches.append(Breach(rule, where, detail))

    def all_breaches(self) -> list[Breach]:
        return self.breaches + [
            Breach(rule, say("elsewhere"), say("{count} more", count=count - MOST_REPORTS))
            for rule, count in self.counts.items()
            if count > MOST_REPORTS
        ]


def parse_tables(read: ElementReader, answer: EndpointAnswer) -> ListedTables:
    """Read `[{code, title, id?}]`."""
    notes, items, seen = BreachLog(), list[ExternalTable](), set[str]()
    for where, element in _objects(read, text("table {number}"), notes):
        code, title = _texts(element, ("code", "title"), where, notes)
        given = element.get("id")
        id = str(given) if isinstance(given, str | int) and given != "" else None
        if code and code in seen:
            notes.add("duplicate_code", where, code)
        elif code and title:
            items.append(ExternalTable(code, title, id))
        seen.add(code)
    return ListedTables(items, notes.all_breaches(), answer, read.truncated)


def parse_columns(read: ElementReader, answer: EndpointAnswer) -> Columns:
    """Read `[{code, name, type}]`."""
    notes, items, seen = BreachLog(), list[DescribedColumn](), set[str]()
    for where, element in _objects(read, text("column {number}"), notes):
        code, name, answered = _texts(element, ("code", "name", "type"), where, notes)
        known = answered.lower() if answered.lower() in TYPES else None
        if answered and not known:
            notes.add("unknown_type", where, f"{code}: {answered}")
        if code and code in seen:
            notes.add("duplicate_code", where, code)
        elif code and name and answered:
            items.append(DescribedColumn(code, name, known or "string", known or answered))
        seen.add(code)
    if read.is_array and not read.elements:
        notes.add("empty_array", say("answer"))
    return Columns(items, notes.all_breaches(), answer, read.truncated)


def parse_rows(
    read: ElementReader,
    answer: EndpointAnswer,
    *,
    select: Sequence[str] = (),
    limit: int | None = None,
    names: Mapping[str, str] | None = None,
    mapped: bool = False,
) -> Rows:
    """Read `[[code…], [value…]…]`. If an answer ignores `limit`, only that many rows are returned.

    `names` leads from codes to the names that `select` uses; `mapped`: the request said so in `mapFields`.
    """
    notes = BreachLog()
    if not read.elements:
        if read.is_array is False:
            notes.add("not_array", say("answer"), _describe_other(read.other))
        else:
            notes.add("header_missing", say("answer"), say("the array is empty"))
        return Rows([], [], notes.all_breaches(), answer)
    header = _parse_header(read.elements[0], notes)
    columns = name_columns(header, names or {})
    _check_spelling(header, columns, names or {}, notes, mapped=mapped)
    if select and columns:
        _compare_selected(columns, select, notes)
    rows = list[list[object]]()
    for number, row in enumerate(read.elements[1:], 2):
        if isinstance(row, list):
            _check_row(number, row, header, notes)
            rows.append(row)
        else:
            notes.add("row_not_array", say("row {number}", number=number))
    truncated = read.truncated
    if limit is not None and len(rows) > limit:
        notes.add("limit_ignored", say("rows"), say("{limit} asked for", limit=limit))
        rows, truncated = rows[:limit], True
    return Rows(header, rows, notes.all_breaches(), answer, truncated, columns)


def _describe_other(other: object) -> str:
    """Describe an answer that is not an array; of an object give the keys, which often name an error."""
    if not isinstance(other, dict):
        return ""
    # Not escaped here: secrets are masked later, and a mask recognises them as others write them, not as we would.
    keys = ", ".join(f"'{key}'" for key in list(other)[:MOST_KEYS])
    return say("an object with {keys}", keys=keys) if keys else say("an empty object")


def _objects(read: ElementReader, place: str, notes: BreachLog) -> Iterator[tuple[str, Mapping[str, object]]]:
    if not read.is_array:
        notes.add("not_array", say("answer"), _describe_other(read.other))
        return
    for number, element in enumerate(read.elements, 1):
        if isinstance(element, dict):
            yield say(place, number=number), element
        else:
            notes.add("element_not_object", say(place, number=number))


_EMPTY: Mapping[str, Rule] = {
    "code": "empty_code",
    "title": "empty_title",
    "name": "empty_name",
    "type": "empty_type",
}


def _texts(element: Mapping[str, object], keys: Sequence[str], where: str, notes: BreachLog) -> list[str]:
    found = []
    for key in keys:
        value = element.get(key)
        # Numbers are read as text; nothing else is.
        text = str(value) if isinstance(value, str | int | float) and not isinstance(value, bool) else ""
        if not text.strip():
            notes.add(_EMPTY[key], where, "" if value in (None, "") else say("not text"))
        elif text == "0":
            notes.add("zero_as_text", where, key)
            text = ""
        elif not isinstance(value, str):
            notes.add("not_text", where, key)
        found.append(text if text.strip() else "")
    return found


def _parse_header(first: object, notes: BreachLog) -> list[str]:
    if not isinstance(first, list) or not first:
        notes.add("header_missing", say("row 1"), say("it is not an array of codes"))
        return []
    wrong = [number for number, code in enumerate(first, 1) if not isinstance(code, str) or not code.strip()]
    if wrong:
        notes.add("header_not_text", say("row 1"), say("position {number}", number=wrong[0]))
    header = [code if isinstance(code, str) else "" for code in first]
    for code in dict.fromkeys(code for code in header if code and header.count(code) > 1):
        notes.add("header_duplicate", say("row 1"), code)
    return header


def name_columns(header: Sequence[str], names: Mapping[str, str]) -> list[str]:
    """Turn a header into the columns' names; text that is neither a name nor a code stays."""
    known = set(names.values())
    return [entry if entry in known else names.get(entry, entry) for entry in header]


def _check_spelling(
    header: list[str], columns: list[str], names: Mapping[str, str], notes: BreachLog, *, mapped: bool
) -> None:
    """Check the header: with `mapFields` it must hold codes, without it the names that were asked for."""
    codes = {name: code for code, name in names.items()}
    for entry, name in zip(header, columns, strict=True):
        if mapped and codes.get(entry, entry) != entry:
            notes.add("header_in_names", say("row 1"), f"{entry} ← {codes[entry]}")
        elif not mapped and entry != name:
            notes.add("header_in_codes", say("row 1"), f"{entry} → {name}")


def _compare_selected(columns: list[str], select: Sequence[str], notes: BreachLog) -> None:
    missing = [name for name in select if name not in columns]
    if len(missing) == len(select):
        notes.add("header_missing", say("row 1"), say("none of the selected codes is in it"))
        return
    for name in missing:
        notes.add("column_missing", say("row 1"), name)
    for name in columns:
        if name and name not in select:
            notes.add("column_unasked", say("row 1"), name)
    if columns != list(select) and sorted(columns) == sorted(select):
        notes.add("column_order", say("row 1"))


def _check_row(number: int, row: list[object], header: list[str], notes: BreachLog) -> None:
    if header and len(row) != len(header):
        detail = say("{values} values for {columns} columns", values=len(row), columns=len(header))
        notes.add("ragged_row", say("row {number}", number=number), detail)
    for place, value in enumerate(row, 1):
        if isinstance(value, dict | list):
            detail = say("position {number}", number=place)
            notes.add("nested_value", say("row {number}", number=number), detail)
            break
