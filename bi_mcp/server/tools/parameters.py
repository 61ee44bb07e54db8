"""The arguments that several tools share, in the API's own shape and spelling."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from bi_mcp.rest.models.wire import refuse_bool

Id = Annotated[int, Field(ge=1), BeforeValidator(refuse_bool)]
Select = Annotated[list[str] | None, Field(description="Default all")]
FilterArgument = Annotated[
    dict[str, Any] | None,
    Field(
        description='{"OPfield": value}, OP: = != > >= < <= @ (in) !@ % (contains) =% (LIKE); groups: {"logic":"OR","0":{…}}'
    ),
]
OrderArgument = Annotated[dict[str, Literal["ASC", "DESC"]] | None, Field(description="Default by id")]
PageNumber = Annotated[int, Field(ge=1, description="50 per page")]
