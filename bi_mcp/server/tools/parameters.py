"""The arguments that several tools share, in the API's own shape and spelling."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, WithJsonSchema

from bi_mcp.rest.models.wire import refuse_bool
from bi_mcp.server.tools.schema import OBJECT_ID

# Titles are replaced by ids before a tool is called.
Id = Annotated[int, Field(ge=1), BeforeValidator(refuse_bool), WithJsonSchema(OBJECT_ID)]
# People speak of datasets.
SourceOf = Annotated[Id, Field(description="Or a dataset on it")]
TableCode = Annotated[str, Field(description="Its externalCode")]
Select = list[str] | None
FilterArgument = Annotated[
    dict[str, Any] | None,
    Field(
        description='{"OPfield": value}, OP: = != > >= < <= @ (in) !@ % (contains) =% (LIKE); groups: {"logic":"OR","0":{…}}'
    ),
]
OrderArgument = dict[str, Literal["ASC", "DESC"]] | None
PageNumber = Annotated[int, Field(ge=1, description="50 per page")]
