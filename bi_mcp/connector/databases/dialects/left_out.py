"""Why columns are not served: texts that are translated when they are told."""

from __future__ import annotations

from bi_mcp.base.language import text
from bi_mcp.connector.databases.dialects.dialect import LeftOut

AGGREGATE = LeftOut(text("It holds the state of an aggregate."))
BINARY = LeftOut(text("It holds binary data."))
GEOMETRY = LeftOut(text("It holds a geometry."))
IMAGE = LeftOut(text("It holds an image."))
OLD_TEXT = LeftOut(text("It holds a text of an old kind, which cannot be filtered."))
SEARCH_INDEX = LeftOut(text("It holds a search index."))
UNKNOWN = LeftOut(text("Its type is not known."))
VECTOR = LeftOut(text("It holds a vector."))
