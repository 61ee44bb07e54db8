"""What the conformance suite expects a server to hold, added to ours, so that it can test all that lies between a tool and the socket."""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Annotated, Any

from mcp import MCPError
from mcp.server import MCPServer
from mcp.server.mcpserver import Context
from mcp.server.mcpserver.exceptions import ToolError
from mcp.server.mcpserver.prompts import Prompt
from mcp.server.mcpserver.prompts.base import UserMessage
from mcp.types import (
    MISSING_REQUIRED_CLIENT_CAPABILITY,
    AudioContent,
    EmbeddedResource,
    ImageContent,
    SamplingMessage,
    TextContent,
    TextResourceContents,
)
from pydantic import BaseModel, Field

from tests.clients import conformance_questions

PNG = base64.b64encode(b"\x89PNG\r\n\x1a\n" + bytes(24)).decode()
WAV = base64.b64encode(b"RIFF\x24\x00\x00\x00WAVE" + bytes(32)).decode()
SCHEMA: dict[str, Any] = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "type": "object",
    "$defs": {
        "address": {
            "$anchor": "addressDef",
            "type": "object",
            "properties": {"street": {"type": "string"}, "city": {"type": "string"}},
        }
    },
    "properties": {
        "name": {"type": "string"},
        "address": {"$ref": "#/$defs/address"},
        "contactMethod": {"type": "string", "enum": ["phone", "email"]},
        "phone": {"type": "string"},
        "email": {"type": "string"},
    },
    "allOf": [{"anyOf": [{"required": ["phone"]}, {"required": ["email"]}]}],
    "if": {"properties": {"contactMethod": {"const": "phone"}}, "required": ["contactMethod"]},
    "then": {"required": ["phone"]},
    "else": {"required": ["email"]},
    "additionalProperties": False,
}


def image() -> ImageContent:
    return ImageContent(data=PNG, mime_type="image/png")


def embedded(uri: str) -> EmbeddedResource:
    return EmbeddedResource(resource=TextResourceContents(uri=uri, mime_type="text/plain", text="Embedded."))


def test_simple_text() -> str:
    return "This is a simple text response for testing."


def test_image_content() -> list[ImageContent]:
    return [image()]


def test_audio_content() -> list[AudioContent]:
    return [AudioContent(data=WAV, mime_type="audio/wav")]


def test_embedded_resource() -> list[EmbeddedResource]:
    return [embedded("test://embedded-resource")]


def test_multiple_content_types() -> list[TextContent | ImageContent | EmbeddedResource]:
    return [TextContent(text="Several kinds:"), image(), embedded("test://mixed-content-resource")]


async def test_tool_with_logging(ctx: Context) -> str:
    for sentence in ("Tool execution started", "Tool processing data", "Tool execution completed"):
        await ctx.info(sentence)
    return "logged"


async def test_tool_with_progress(ctx: Context) -> str:
    for done in (0, 50, 100):
        await ctx.report_progress(done, 100)
    return "done"


def test_error_handling() -> str:
    raise ToolError("This tool intentionally returns an error for testing")


async def test_sampling(prompt: str, ctx: Context) -> str:
    message = SamplingMessage(role="user", content=TextContent(text=prompt))
    result = await ctx.session.create_message([message], max_tokens=100, related_request_id=ctx.request_id)
    return f"LLM response: {result.content}"


class Reply(BaseModel):
    username: str
    email: str


async def test_elicitation(message: str, ctx: Context) -> str:
    return f"User response: {await ctx.elicit(message, Reply)}"


class Defaults(BaseModel):
    name: str = "John Doe"
    age: int = 30
    score: float = 95.5
    status: Annotated[str, Field(json_schema_extra={"enum": ["active", "inactive", "pending"]})] = "active"
    verified: bool = True


async def test_elicitation_sep1034_defaults(ctx: Context) -> str:
    return f"Elicitation completed: {await ctx.elicit('Who are you?', Defaults)}"


def titled(*values: str) -> list[dict[str, str]]:
    return [{"const": value, "title": value.title()} for value in values]


class Choices(BaseModel):
    untitledSingle: Annotated[str, Field(json_schema_extra={"enum": ["option1", "option2", "option3"]})]  # noqa: N815  the suite's spelling
    titledSingle: Annotated[str, Field(json_schema_extra={"oneOf": [*titled("value1", "value2")]})]  # noqa: N815  as above
    legacyEnum: Annotated[str, Field(json_schema_extra={"enum": ["a", "b"], "enumNames": ["A", "B"]})]  # noqa: N815  as above
    untitledMulti: Annotated[  # noqa: N815  as above
        list[str], Field(json_schema_extra={"items": {"type": "string", "enum": ["a", "b"]}})
    ]
    titledMulti: Annotated[  # noqa: N815  as above
        list[str], Field(json_schema_extra={"items": {"anyOf": [*titled("value1", "value2")]}})
    ]


async def test_elicitation_sep1330_enums(ctx: Context) -> str:
    return f"Elicitation completed: {await ctx.elicit('Choose', Choices)}"


def json_schema_2020_12_tool() -> str:
    return "its schema is what counts"


def test_x_mcp_header(
    region: Annotated[str, Field(json_schema_extra={"x-mcp-header": "Region"})],
) -> str:
    return f"region={region}"


def test_missing_capability(ctx: Context) -> str:
    if not (ctx.client_capabilities and ctx.client_capabilities.sampling):
        needed: dict[str, Any] = {"requiredCapabilities": {"sampling": {}}}
        raise MCPError(MISSING_REQUIRED_CLIENT_CAPABILITY, "This tool needs sampling", data=needed)
    return "sampling is there"


async def test_logging_tool(ctx: Context) -> str:
    await ctx.info("test_logging_tool ran")
    return "logged"


def static_text() -> str:
    return "This is the content of the static text resource."


def static_binary() -> bytes:
    return base64.b64decode(PNG)


def from_template(id: str) -> dict[str, str]:
    return {"id": id, "data": f"Data for ID: {id}"}


def test_simple_prompt() -> list[UserMessage]:
    return [UserMessage("This is a simple prompt for testing.")]


def test_prompt_with_arguments(arg1: str, arg2: str) -> list[UserMessage]:
    return [UserMessage(f"Prompt with arguments: arg1='{arg1}', arg2='{arg2}'")]


def test_prompt_with_embedded_resource(resourceUri: str) -> list[UserMessage]:  # noqa: N803  the suite's spelling
    return [UserMessage(embedded(resourceUri)), UserMessage("Read the above.")]


def test_prompt_with_image() -> list[UserMessage]:
    return [UserMessage(image()), UserMessage("Look at the above.")]


TOOLS: tuple[Callable[..., Any], ...] = (
    test_simple_text,
    test_image_content,
    test_audio_content,
    test_embedded_resource,
    test_multiple_content_types,
    test_tool_with_logging,
    test_tool_with_progress,
    test_error_handling,
    test_sampling,
    test_elicitation,
    test_elicitation_sep1034_defaults,
    test_elicitation_sep1330_enums,
    json_schema_2020_12_tool,
    test_x_mcp_header,
    test_missing_capability,
    test_logging_tool,
    *conformance_questions.TOOLS,
)
PROMPTS: tuple[Callable[..., Any], ...] = (
    test_simple_prompt,
    test_prompt_with_arguments,
    test_prompt_with_embedded_resource,
    test_prompt_with_image,
    conformance_questions.test_input_required_result_prompt,
)


def add_fixtures(server: MCPServer) -> None:
    for tool in TOOLS:
        server.add_tool(tool, description=tool.__name__)
    # The SDK makes schemas from signatures only.
    server._tool_manager._tools[json_schema_2020_12_tool.__name__].parameters = SCHEMA
    for prompt in PROMPTS:
        server.add_prompt(Prompt.from_function(prompt, description=prompt.__name__))
    server.resource("test://static-text")(static_text)
    server.resource("test://static-binary", mime_type="image/png")(static_binary)
    server.resource("test://watched-resource")(static_text)
    server.resource("test://template/{id}/data")(from_template)
