"""The gate before destructive acts: the person is asked, or a preview comes first and a second call confirms it.

A client that can ask its person does so (the SDK's resolvers carry the question in both protocol versions), unless the
user chose tokens. Otherwise, and if the client claims that it can and then refuses the question with an error, the
first call changes nothing and answers with a preview and a token; the second call brings the token back.
"""

# Annotations are evaluated at once: those of the resolvers name what these functions close over.

from collections.abc import Awaitable, Callable, Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Annotated, Any

from mcp import MCPError
from mcp.server.elicitation import AcceptedElicitation, CancelledElicitation, DeclinedElicitation
from mcp.server.mcpserver import Elicit, ElicitationResult, Resolve
from mcp.server.mcpserver.resolve import resolve_arguments
from mcp.server.mcpserver.tools import Tool
from mcp.types import METHOD_NOT_FOUND, InputRequiredResult
from pydantic import BaseModel, Field

from bi_mcp.app.seal import VALID_FOR_S, Act, Seal, stale_refusal
from bi_mcp.base.language import say
from bi_mcp.diagnostics.portal.blast_radius import BlastRadius
from bi_mcp.errors import ConfirmationError
from bi_mcp.server.tools.answers import Preview
from bi_mcp.server.tools.context import BiContext, app_of

Confirm = Annotated[str | None, Field(description="From the preview")]


# The code of the error by which the client refused the question of this call.
_refused_by: ContextVar[int | None] = ContextVar("refused_by", default=None)

_Answer = AcceptedElicitation[Any] | DeclinedElicitation | CancelledElicitation


class Proceed(BaseModel):
    """The question to the person."""

    proceed: bool = Field(description="Do it")


@dataclass
class Gated:
    """A call that may have to be confirmed. `look` reads what it would touch, None where it destroys nothing."""

    tool: str
    arguments: Mapping[str, object]
    look: Callable[[], Awaitable[BlastRadius | None]]
    # A sentence that follows what the person reads.
    last: str = ""
    # The digest of what the person saw, while a call waits for the answer.
    asked: bytes | None = field(default=None, init=False)

    async def begin(self, ctx: BiContext, token: str | None) -> Elicit[Proceed] | Preview | None:
        """Ask, preview, or let the call pass (None). Raises `ConfirmationError` for a token that confirms something else."""
        app = app_of(ctx)
        if app.seal is None:
            return None
        radius = await self.look()
        if radius is None:
            return None
        act = Act(self.tool, app.portal.title, self.arguments)
        digest = self._digest(app.seal, radius)
        if token is not None:
            app.seal.check(token, act, digest)
            return None
        if not (app.asks and _can_ask(ctx)):
            return Preview(
                text=self._tell(radius), confirm=app.seal.issue(act, digest), valid_for_s=VALID_FOR_S
            )
        self.asked = digest
        # The SDK takes an answer only for the very question that was asked; this binds it to the arguments and all of the state.
        return Elicit(f"{app.portal.title}: {self._tell(radius)} (State {digest.hex()[:8]}.)", Proceed)

    async def end(self, ctx: BiContext, answer: _Answer) -> Preview | None:
        """Judge the person's answer. None lets the call pass, a preview is its answer. Raises `ConfirmationError` where the person does not agree."""
        if isinstance(answer, DeclinedElicitation):
            raise _refusal(self.tool, say("the person declined"))
        if isinstance(answer, CancelledElicitation):
            raise _refusal(self.tool, say("the person closed the question without an answer"))
        outcome: Proceed | Preview | None = answer.data
        if not isinstance(outcome, Proceed):
            return outcome
        if not outcome.proceed:
            raise _refusal(self.tool, say("the person declined"))
        seal = app_of(ctx).seal
        if ctx.input_responses is None and seal is not None:
            # The answer came within this call, and time has passed since the look. Otherwise the look came after the answer.
            radius = await self.look()
            if radius is None or self._digest(seal, radius) != self.asked:
                raise stale_refusal(self.tool)
        return None

    def _tell(self, radius: BlastRadius) -> str:
        return " ".join(part for part in (radius.text(), self.last) if part)

    def _digest(self, seal: Seal, radius: BlastRadius) -> bytes:
        return seal.digest([self.arguments, radius.state()])


async def resolve_parameters(
    tool: Tool, arguments: dict[str, Any], ctx: BiContext
) -> dict[str, Any] | InputRequiredResult:
    """Run the resolvers of a call: the values of their parameters, or a question to the person. Where the client refuses to
    show a question that it said it could show, they run again without.
    """
    try:
        return await resolve_arguments(tool.resolved_params, tool.resolver_plans, arguments, ctx)
    except MCPError as refused:
        token = _refused_by.set(refused.error.code)
        try:
            return await resolve_arguments(tool.resolved_params, tool.resolver_plans, arguments, ctx)
        finally:
            _refused_by.reset(token)


def gate(gated: Callable[..., Awaitable[Gated]]) -> Resolve:
    """Resolve a tool's `preview`: None when the call may act, else what it is to answer instead.

    `gated` is a resolver that makes the `Gated` of the tool's arguments; the tool has an argument `confirm`.
    """

    async def begin(
        call: Annotated[Gated, Resolve(gated)], ctx: BiContext, confirm: Confirm
    ) -> Elicit[Proceed] | Preview | None:
        return await call.begin(ctx, confirm)

    return _judge_answer(gated, begin)


def ask(gated: Callable[..., Awaitable[Gated]]) -> Resolve:
    """Resolve a tool's `preview` as `gate` does, for a tool that never makes a preview: the person is asked if the client can do that."""

    async def begin(call: Annotated[Gated, Resolve(gated)], ctx: BiContext) -> Elicit[Proceed] | None:
        if _refused_by.get() not in {None, METHOD_NOT_FOUND}:
            # No preview comes in between here, and the error may be how this client says that its person does not want to.
            raise ConfirmationError(
                say(
                    "{tool} was not sent: the client refused to show the question to the person. Nothing was changed. If it cannot show questions, the user can start the server with --confirm=token.",
                    tool=call.tool,
                )
            )
        question = await call.begin(ctx, None)
        return question if isinstance(question, Elicit) else None

    return _judge_answer(gated, begin)


def _judge_answer(gated: Callable[..., Awaitable[Gated]], begin: Callable[..., Awaitable[object]]) -> Resolve:
    async def end(
        call: Annotated[Gated, Resolve(gated)],
        ctx: BiContext,
        answer: Annotated[ElicitationResult[Proceed], Resolve(begin)],
    ) -> Preview | None:
        return await call.end(ctx, answer)

    return Resolve(end)


def _can_ask(ctx: BiContext) -> bool:
    """Return whether the client can show forms to its person. A client that does not name a kind of question can."""
    if _refused_by.get() is not None:
        return False
    capabilities = ctx.client_capabilities
    asking = capabilities.elicitation if capabilities is not None else None
    return asking is not None and (asking.form is not None or asking.url is None)


def _refusal(tool: str, reason: str) -> ConfirmationError:
    return ConfirmationError(
        say(
            "{tool} was not sent: {reason}. Nothing was changed. Do not call it again unless they ask for it.",
            tool=tool,
            reason=reason,
        )
    )
