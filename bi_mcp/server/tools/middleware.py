"""The middleware of every tool call: context managers, the outermost first. A function runs inside all of them, with none on its stack."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import Any

from mcp import MCPError
from mcp.server.mcpserver.exceptions import ToolError, UnexpectedToolError
from pydantic import ValidationError

from bi_mcp.app.app import App
from bi_mcp.base.language import say, speaking
from bi_mcp.base.progress import reporting_to
from bi_mcp.diagnostics.findings.endpoint_rules import add_advice
from bi_mcp.errors import BiMcpError, InvalidRequestError
from bi_mcp.history.actor import acting
from bi_mcp.server.advice import use_words_for
from bi_mcp.server.tools.arguments import explain, find_unknown
from bi_mcp.server.tools.context import BiContext, app_of, apps_of
from bi_mcp.server.tools.tool import PORTAL, ToolDeclaration


@dataclass(frozen=True)
class ToolCall:
    """A call of a tool, its arguments under the tool's own names. `parameters` is the schema that the client was offered."""

    tool: ToolDeclaration
    parameters: Mapping[str, Any]
    arguments: Mapping[str, object]
    context: BiContext

    @property
    def app(self) -> App:
        """The app that serves the call."""
        return app_of(self.context)


Middleware = Callable[[ToolCall], AbstractContextManager[None]]


@contextmanager
def word_errors(call: ToolCall) -> Iterator[None]:
    """Give the model every error in full. The SDK hides the text of exceptions that are not its own."""
    try:
        yield
    except BiMcpError as error:
        raise ToolError(add_advice(error)) from None
    except ValidationError as error:
        raise ToolError(explain(call.tool.name, call.parameters, error)) from None
    except MCPError:
        raise
    except ToolError:
        # Ours are BiMcpErrors: this one is the SDK's, about the client's answer to a question.
        raise ToolError(
            say(
                "{name} was not sent: the answer to the question cannot be read. Nothing was changed. Call again; if that does not help, the user can start the server with --confirm=token.",
                name=call.tool.name,
            )
        ) from None
    except Exception as error:
        # A bug of ours. The SDK logs the cause.
        raise UnexpectedToolError(f"Error executing tool {call.tool.name}") from error


@contextmanager
def refuse_unknown_arguments(call: ToolCall) -> Iterator[None]:
    """Refuse arguments that the tool does not have. The SDK ignores them, and would do something else than the caller asked for."""
    problems = []
    arguments = dict(call.arguments)
    if PORTAL in arguments and PORTAL not in call.parameters["properties"]:
        del arguments[PORTAL]
        title = call.app.portals[call.app.default].title
        problems.append(
            say("there is one portal here, {title}, and every call goes to it: leave portal out", title=title)
        )
    problems.append(find_unknown(call.parameters, arguments, call.tool.group))
    unknown = "; ".join(filter(None, problems))
    if unknown:
        raise InvalidRequestError(
            say(
                "{name} was not sent: {unknown}. Correct the arguments and call again.",
                name=call.tool.name,
                unknown=unknown,
            )
        )
    yield


@contextmanager
def keep_read_only_lock(call: ToolCall) -> Iterator[None]:
    """Refuse writes to a portal that the user has locked."""
    portal = call.app.portal
    if portal.read_only and not call.tool.reads(call.arguments):
        raise InvalidRequestError(
            say(
                "{name} was not sent: the portal {title} is locked read-only. Only the user can lift the lock, with `bi-mcp profiles unlock NAME`.",
                name=call.tool.name,
                title=portal.title,
            )
        )
    yield


@contextmanager
def speak_callers_language(call: ToolCall) -> Iterator[None]:
    """Speak the language of the caller's app. A caller without one is refused here, outside of what words other errors."""
    try:
        language = call.app.language
    except BiMcpError as error:
        raise ToolError(str(error)) from None
    with speaking(language):
        yield


MIDDLEWARE: tuple[Middleware, ...] = (
    lambda call: use_words_for(apps_of(call.context).secrets_page),
    speak_callers_language,
    word_errors,
    refuse_unknown_arguments,
    lambda call: call.app.choosing(call.arguments.get(PORTAL)),
    keep_read_only_lock,
    lambda call: reporting_to(call.context.report_progress),
    lambda call: acting(call.tool.name),
)
