"""What a table's operator is told of the forms of its columns: what readers may not expect."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import tzinfo

from bi_mcp.base.language import say
from bi_mcp.connector.databases.reflection import ServedColumn
from bi_mcp.connector.exact_numbers import exact_number


def describe_forms(columns: Sequence[ServedColumn], zone: tzinfo) -> Iterator[str]:
    """Tell of long numbers and of moments with a zone, a sentence for each kind."""
    long = [each.column.code for each in columns if each.form.convert is exact_number]
    if long:
        yield say(
            "numbers of more than 15 digits are sent with all of them, and readers of JSON may round them; {option} sends texts: {columns}",
            option='long_numbers = "text"',
            columns=", ".join(long),
        )
    moments = [each.column.code for each in columns if each.form.comparing == "moment"]
    if moments:
        yield say(
            "moments are shown in the time zone {zone}: {columns}",
            zone=getattr(zone, "key", None) or str(zone),
            columns=", ".join(moments),
        )
