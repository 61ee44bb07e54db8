"""A declared tool as the SDK calls it."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from functools import cache
from typing import TYPE_CHECKING, Any

from anyio import to_thread
from mcp.server.mcpserver.tools import Tool
from mcp.server.mcpserver.utilities.func_metadata import ArgModelBase, FuncMetadata
from mcp.types import CallToolResult, InputRequiredResult, ResourceLink, TextContent
from pydantic import PrivateAttr

from bi_mcp.server.tools.arguments import repair_object
from bi_mcp.server.tools.confirmation import resolve_parameters
from bi_mcp.server.tools.list_arguments import rename_fields
from bi_mcp.server.tools.middleware import MIDDLEWARE, ToolCall
from bi_mcp.server.tools.named_objects import find_ids
from bi_mcp.server.tools.schemas import shipped_schemas
from bi_mcp.server.tools.synonyms import rename
from bi_mcp.server.tools.tool import PORTAL, ToolDeclaration, build_hints, make_schemas

if TYPE_CHECKING:
    from mcp.server.mcpserver import Context

    from bi_mcp.server.tools.answers import Answer

# The changed address, and who changed it.
HISTORY = "bi://history"
# A search of so few characters takes less than a thread does.
LITTLE_TEXT = 2_000
# Clients of older protocols may refuse a whole answer for a block that they do not know.
FIRST_WITH_LINKS = "2025-06-18"


class BiTool(Tool):
    """A tool whose errors reach the model in full and whose arguments are refused by name.

    What the SDK derives from the signature is derived at the first call: a server is started for every chat, and most
    tools are never called in it.
    """

    _declaration: ToolDeclaration = PrivateAttr()
    _is_complete: bool = PrivateAttr(default=False)

    async def run(
        self,
        arguments: dict[str, Any],
        context: Context[Any, Any],
        convert_result: bool = False,  # noqa: ARG002  the SDK's signature; an Answer is always converted
    ) -> CallToolResult | InputRequiredResult:
        """Call the function, and give its answer twice: as text and as structured content. A question is returned unchanged."""
        group = self._declaration.group
        renamed = rename(self.parameters, arguments, group)
        call = ToolCall(self._declaration, self.parameters, renamed, context)
        with ExitStack() as stack:
            for layer in MIDDLEWARE:
                stack.enter_context(layer(call))
            self._complete()
            own = {name: value for name, value in renamed.items() if name != PORTAL}
            repaired = repair_object(self.parameters, own, group)
            if self._declaration.lists:
                repaired = rename_fields(repaired, group)
            repaired = await find_ids(call, repaired)
            validated = self.fn_metadata.validate_arguments(repaired)
            resolved = await resolve_parameters(self, validated, context) if self.resolved_params else {}
            if isinstance(resolved, InputRequiredResult):
                return resolved
            answer: Answer | InputRequiredResult = await self.fn(**validated, **resolved, ctx=context)
            if isinstance(answer, InputRequiredResult):
                return answer
            links = await announce(answer, call)
            answer = answer.with_notice(await _warn_of_texts(answer))
            answer = answer.with_notice(call.app.portal.notice)
            return CallToolResult(
                content=[TextContent(text=answer.text(self.name)), *links],
                structured_content=answer.structured_content(),
            )

    def _complete(self) -> None:
        if self._is_complete:
            return
        complete = Tool.from_function(self.fn, structured_output=False)
        self.fn_metadata.arg_model = complete.fn_metadata.arg_model
        self.resolved_params = complete.resolved_params
        self.resolver_plans = complete.resolver_plans
        self._is_complete = True


async def _warn_of_texts(answer: Answer) -> str | None:
    """Search what is shown, after it was cut: a search of what nobody reads would only take time. Other calls go on meanwhile."""
    if not (texts := [*answer.foreign_texts(answer.structured_content())]):
        return None
    # Imported here: the server starts without its patterns.
    from bi_mcp.diagnostics.tables.suspicious_texts import warn_of

    if sum(len(each.text) for each in texts) <= LITTLE_TEXT:
        return warn_of(texts, _tool_names())
    return await to_thread.run_sync(warn_of, texts, _tool_names())


@cache
def _tool_names() -> frozenset[str]:
    # Imported here: the package imports the modules that use this one.
    from bi_mcp.server.tools import TOOLSETS

    return frozenset(tool.name for tools in TOOLSETS.values() for tool in tools)


async def announce(answer: Answer, call: ToolCall) -> Sequence[ResourceLink]:
    """Notify subscribers of changes, and link the objects of the answer. Addresses are of the default portal only."""
    app = call.app
    if app.portal is not app.portals[app.default]:
        return ()
    group = call.tool.group
    changed = answer.changed_objects(group)
    for uri in [*changed, HISTORY] if changed else changed:
        await call.context.notify_resource_updated(uri)
    if (call.context.protocol_version or "") < FIRST_WITH_LINKS:
        return ()
    return [
        ResourceLink(uri=uri, name=uri.removeprefix("bi://").replace("/", " "), mime_type="application/json")
        for uri in answer.links(group)
    ]


def build_tool(declaration: ToolDeclaration, portals: Sequence[str] = ()) -> BiTool:
    """Build the tool that the server registers. Where there are several portals, it takes which of them is meant."""
    schemas = shipped_schemas(declaration.key) or make_schemas(declaration)
    parameters = schemas.parameters
    if len(portals) > 1:
        choice = {PORTAL: {"type": "string", "enum": list(portals)}}
        parameters = parameters | {"properties": parameters["properties"] | choice}
    tool = BiTool(
        fn=declaration.function,
        name=declaration.name,
        title=declaration.title,
        description=declaration.description,
        parameters=parameters,
        fn_metadata=FuncMetadata(arg_model=ArgModelBase, output_schema=schemas.answer),
        is_async=True,
        annotations=build_hints(declaration),
        meta={"ui": {"resourceUri": declaration.view}} if declaration.view else None,
    )
    tool._declaration = declaration  # noqa: SLF001  pydantic takes no private attributes when it builds
    return tool
