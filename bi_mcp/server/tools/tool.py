"""A small typed function -> a tool of the server. Hints come from the table of REST methods, errors leave in one place."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, get_type_hints

from mcp import MCPError
from mcp.server.mcpserver.exceptions import ToolError
from mcp.server.mcpserver.tools import Tool
from mcp.server.mcpserver.utilities.func_metadata import ArgModelBase, FuncMetadata
from mcp.types import CallToolResult, InputRequiredResult, ResourceLink, TextContent, ToolAnnotations
from pydantic import PrivateAttr, ValidationError

from bi_mcp.app.app import App
from bi_mcp.base.advice import use_words
from bi_mcp.base.language import say, speaking
from bi_mcp.base.progress import reporting_to
from bi_mcp.errors import BiMcpError, InvalidRequestError
from bi_mcp.history.actor import acting
from bi_mcp.rest.methods import METHODS, TABLE_METHODS, Effect
from bi_mcp.server.advice import WORDS
from bi_mcp.server.tools.answers import Answer
from bi_mcp.server.tools.arguments import explain, find_unknown, repair
from bi_mcp.server.tools.questions import PersonAskedError, without_question
from bi_mcp.server.tools.schema import slim, slim_answer
from bi_mcp.server.tools.schemas import Schemas, shipped_schemas

if TYPE_CHECKING:
    from mcp.server.mcpserver import Context

# The changed address, and who changed it.
HISTORY = "bi://history"
# Of every tool, where there is more than one portal.
PORTAL = "portal"
# Clients of older protocols may refuse a whole answer for a block that they do not know.
FIRST_WITH_LINKS = "2025-06-18"

_METHOD_OF_TOOL = {method.tool: method for method in METHODS + TABLE_METHODS}


@dataclass(frozen=True)
class ToolDeclaration:
    """A tool: the function, whose name, signature and docstring the model sees, and its title for people."""

    function: Callable[..., Awaitable[Answer]]
    title: str
    # For tools that are not REST methods; the others have theirs in the table.
    own_effect: Effect | None = None
    # The `ui://` address of the view that shows the answer to people, in clients that have the Apps extension.
    view: str | None = None
    # A call with nothing but these arguments only reads, whatever others may do.
    reads_with: frozenset[str] = frozenset()

    @property
    def name(self) -> str:
        """The tool's name is the function's."""
        return self.function.__name__

    @property
    def key(self) -> str:
        """The key of its shipped schemas: two modules may have a tool of the same name."""
        return f"{self.function.__module__.rpartition('.')[2]}.{self.name}"

    @property
    def answer(self) -> type[Answer]:
        """The type that the function returns, by its annotation."""
        answer: type[Answer] = get_type_hints(self.function)["return"]
        return answer

    @property
    def effect(self) -> Effect:
        """The effect of a call on the portal."""
        return self.own_effect or _METHOD_OF_TOOL[self.name].effect

    @property
    def repeatable(self) -> bool:
        """True if calling twice leaves the portal as calling once does."""
        method = _METHOD_OF_TOOL.get(self.name)
        return method.repeatable if method else self.effect is Effect.READ

    def reads(self, arguments: Mapping[str, object]) -> bool:
        """Return whether this call only reads. An argument of null counts as left out."""
        given = {name for name, value in arguments.items() if value is not None} - {PORTAL}
        return self.effect is Effect.READ or (bool(self.reads_with) and given <= self.reads_with)


class BiTool(Tool):
    """A tool whose errors reach the model in full and whose arguments are refused by name.

    The SDK's data from the signature is made when the tool is first called: a server is started for every chat, and
    most tools are never called in it.
    """

    _declaration: ToolDeclaration = PrivateAttr()
    _is_complete: bool = PrivateAttr(default=False)

    async def run(
        self,
        arguments: dict[str, Any],
        context: Context[Any, Any],
        convert_result: bool = False,  # noqa: ARG002  the SDK's signature; an Answer is always converted
    ) -> Any:
        """Call the function and say its answer twice: as text and as structured content."""
        app: App = context.request_context.lifespan_context
        with speaking(app.language), use_words(WORDS):
            return await self._run_checked(arguments, context)

    async def _run_checked(
        self, arguments: dict[str, Any], context: Context[Any, Any]
    ) -> CallToolResult | InputRequiredResult:
        # The SDK ignores unknown arguments; a misspelled one would silently do something else than the caller asked for.
        unknown = self._unknown(arguments, context.request_context.lifespan_context)
        if unknown:
            raise ToolError(
                say(
                    "{name} was not sent: {unknown}. Correct the arguments and call again.",
                    name=self.name,
                    unknown=unknown,
                )
            )
        try:
            return await self._result(arguments, context)
        except BiMcpError as refused:
            raise ToolError(_add_advice(refused)) from None
        except ToolError as raised:
            explained = self._explain(raised)
            if explained is None:
                # An error of ours by mistake: the SDK tells the model nothing and logs the cause, which must not get lost.
                raise
            raise explained from None

    def _unknown(self, arguments: Mapping[str, object], app: App) -> str:
        if PORTAL not in arguments or PORTAL in self.parameters["properties"]:
            return find_unknown(self.parameters, arguments)
        there_is_one = say(
            "there is one portal here, {title}, and every call goes to it: leave portal out",
            title=app.portals[app.default].title,
        )
        others = {name: value for name, value in arguments.items() if name != PORTAL}
        return "; ".join(filter(None, (there_is_one, find_unknown(self.parameters, others))))

    async def _result(
        self, arguments: dict[str, Any], context: Context[Any, Any]
    ) -> CallToolResult | InputRequiredResult:
        app: App = context.request_context.lifespan_context
        own = {name: value for name, value in arguments.items() if name != PORTAL}
        repaired = repair(self.parameters, own)
        assert isinstance(repaired, dict)  # noqa: S101  an object stays an object
        with app.choosing(arguments.get(PORTAL)), reporting_to(context.report_progress), acting(self.name):
            self._check_lock(app, arguments)
            self._complete()
            answer = await self._run_or_ask(repaired, context)
            if isinstance(answer, InputRequiredResult):
                # A question to the person is returned unchanged.
                return answer
            links = await self._announce(answer, app, context)
            answer = answer.with_notice(app.portal.notice)
        return CallToolResult(
            content=[TextContent(text=answer.text(self.name)), *links],
            structured_content=answer.structured_content(),
        )

    async def _run_or_ask(
        self, arguments: dict[str, Any], context: Context[Any, Any]
    ) -> Answer | InputRequiredResult:
        try:
            return await self._run(arguments, context)
        except MCPError as refused:
            # Only a question makes a request to the client, and it comes before anything is sent to the portal.
            with without_question(refused.error.code):
                return await self._run(arguments, context)

    async def _run(
        self, arguments: dict[str, Any], context: Context[Any, Any]
    ) -> Answer | InputRequiredResult:
        try:
            answer: Answer | InputRequiredResult = await super().run(arguments, context, convert_result=False)
        except ToolError as raised:
            if isinstance(raised.__cause__, PersonAskedError):
                return raised.__cause__.question
            raise
        return answer

    def _complete(self) -> None:
        if self._is_complete:
            return
        made = Tool.from_function(self.fn, structured_output=False)
        self.fn_metadata.arg_model = made.fn_metadata.arg_model
        self.context_kwarg = made.context_kwarg
        self.resolved_params = made.resolved_params
        self.resolver_plans = made.resolver_plans
        self._is_complete = True

    async def _announce(self, answer: Answer, app: App, context: Context[Any, Any]) -> Sequence[ResourceLink]:
        """Notify subscribers of changes, and link the objects of the answer. Addresses are of the default portal only."""
        if app.portal is not app.portals[app.default]:
            return ()
        group = self.name.partition("_")[0]
        changed = answer.changed_objects(group)
        for uri in [*changed, HISTORY] if changed else changed:
            await context.notify_resource_updated(uri)
        if (context.protocol_version or "") < FIRST_WITH_LINKS:
            return ()
        return [_link(uri) for uri in answer.links(group)]

    def _check_lock(self, app: App, arguments: Mapping[str, object]) -> None:
        if app.portal.read_only and not self._declaration.reads(arguments):
            raise InvalidRequestError(
                say(
                    "{name} was not sent: the portal {title} is locked read-only. Only the user can lift the lock, with `bi-mcp profiles unlock NAME`.",
                    name=self.name,
                    title=app.portal.title,
                )
            )

    def _explain(self, raised: ToolError) -> ToolError | None:
        """Explain an error. The SDK wraps every exception of a tool and hides foreign texts; ours are written for the model."""
        cause = raised.__cause__
        if isinstance(cause, ValidationError):
            return ToolError(explain(self.name, self.parameters, cause))
        if isinstance(cause, BiMcpError):
            return ToolError(_add_advice(cause))
        if isinstance(cause, ToolError):
            # Ours are BiMcpErrors: this one is the SDK's, about the client's answer to a question.
            return ToolError(
                say(
                    "{name} was not sent: the answer to the question cannot be read. Nothing was changed. Call again; if that does not help, the user can start the server with --confirm=token.",
                    name=self.name,
                )
            )
        return None


def _add_advice(error: BiMcpError) -> str:
    from bi_mcp.diagnostics.findings.endpoint_rules import add_advice

    return add_advice(error)


def _link(uri: str) -> ResourceLink:
    name = uri.removeprefix("bi://").replace("/", " ")
    return ResourceLink(uri=uri, name=name, mime_type="application/json")


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
        description=" ".join((declaration.function.__doc__ or "").split()),
        parameters=parameters,
        fn_metadata=FuncMetadata(arg_model=ArgModelBase, output_schema=schemas.answer),
        is_async=True,
        annotations=build_hints(declaration),
        meta={"ui": {"resourceUri": declaration.view}} if declaration.view else None,
    )
    tool._declaration = declaration  # noqa: SLF001  pydantic takes no private attributes when it builds
    return tool


def make_schemas(declaration: ToolDeclaration) -> Schemas:
    """Make the schemas of a tool from its function's signature; slow, so the shipped ones are used where there are any."""
    # The SDK would build a validator and a schema per tool; answers are models already, and share their types.
    made = Tool.from_function(declaration.function, structured_output=False)
    answer = declaration.answer.model_json_schema(by_alias=True, mode="serialization")
    return Schemas({"additionalProperties": False, **slim(made.parameters)}, slim_answer(answer))


def build_hints(declaration: ToolDeclaration) -> ToolAnnotations:
    """Build the hints. Only additions and reads are not destructive: an update overwrites the former values."""
    if declaration.effect is Effect.READ:
        # A read may always be repeated, so the protocol gives the hint no meaning there.
        return ToolAnnotations(read_only_hint=True, destructive_hint=False)
    return ToolAnnotations(
        read_only_hint=False,
        destructive_hint=declaration.effect in {Effect.UPDATE, Effect.DELETE},
        idempotent_hint=declaration.repeatable,
    )
