"""Tools that the conformance suite expects to end with a question, as calls of the newest protocol do."""

from __future__ import annotations

from mcp.server.mcpserver import Context
from mcp.server.mcpserver.prompts.base import UserMessage
from mcp.types import (
    CreateMessageRequest,
    CreateMessageRequestParams,
    ElicitRequest,
    ElicitRequestFormParams,
    InputRequest,
    InputRequiredResult,
    ListRootsRequest,
    SamplingMessage,
    TextContent,
)


def form(name: str) -> ElicitRequest:
    schema = {"type": "object", "properties": {name: {"type": "string"}}, "required": [name]}
    return ElicitRequest(params=ElicitRequestFormParams(message=f"Your {name}?", requested_schema=schema))


def sample(text: str) -> CreateMessageRequest:
    message = SamplingMessage(role="user", content=TextContent(text=text))
    return CreateMessageRequest(params=CreateMessageRequestParams(messages=[message], max_tokens=50))


def asked(
    ctx: Context, questions: dict[str, InputRequest], state: str | None = None
) -> str | InputRequiredResult:
    """Ask until every question is answered."""
    if questions.keys() <= (ctx.input_responses or {}).keys() and ctx.request_state == state:
        return f"state-ok, answered: {', '.join(questions)}"
    return InputRequiredResult(input_requests=questions, request_state=state)


def test_input_required_result_elicitation(ctx: Context) -> str | InputRequiredResult:
    return asked(ctx, {"user_name": form("name")})


def test_input_required_result_sampling(ctx: Context) -> str | InputRequiredResult:
    return asked(ctx, {"capital_question": sample("What is the capital of France?")})


def test_input_required_result_list_roots(ctx: Context) -> str | InputRequiredResult:
    return asked(ctx, {"client_roots": ListRootsRequest()})


def test_input_required_result_request_state(ctx: Context) -> str | InputRequiredResult:
    return asked(ctx, {"confirm": form("ok")}, "asked once")


def test_input_required_result_tampered_state(ctx: Context) -> str | InputRequiredResult:
    return asked(ctx, {"confirm": form("ok")}, "asked once")


def test_input_required_result_multiple_inputs(ctx: Context) -> str | InputRequiredResult:
    questions: dict[str, InputRequest] = {
        "user_name": form("name"),
        "greeting": sample("Greet me"),
        "client_roots": ListRootsRequest(),
    }
    return asked(ctx, questions, "asked at once")


def test_input_required_result_multi_round(ctx: Context) -> str | InputRequiredResult:
    rounds = {None: "first", "first": "second"}
    following = rounds.get(ctx.request_state)
    if following is None:
        return "both rounds are answered"
    return InputRequiredResult(input_requests={following: form(following)}, request_state=following)


def test_input_required_result_capabilities(ctx: Context) -> InputRequiredResult:
    able = ctx.client_capabilities
    questions: dict[str, InputRequest] = {}
    if able and able.sampling:
        questions["sample"] = sample("Say hello")
    if able and able.elicitation:
        questions["ask"] = form("name")
    return InputRequiredResult(input_requests=questions, request_state="what the client can")


def test_input_required_result_prompt(ctx: Context) -> list[UserMessage] | InputRequiredResult:
    if ctx.input_responses:
        return [UserMessage("Thank you.")]
    return InputRequiredResult(input_requests={"user_context": form("context")})


TOOLS = (
    test_input_required_result_elicitation,
    test_input_required_result_sampling,
    test_input_required_result_list_roots,
    test_input_required_result_request_state,
    test_input_required_result_tampered_state,
    test_input_required_result_multiple_inputs,
    test_input_required_result_multi_round,
    test_input_required_result_capabilities,
)
