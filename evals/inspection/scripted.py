"""A model that plays scripted solutions. It counts tokens itself, since a tokenizer would come from the network."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

from inspect_ai.model import (
    ChatMessage,
    ChatMessageTool,
    GenerateConfig,
    ModelAPI,
    ModelOutput,
    ModelUsage,
    modelapi,
)
from inspect_ai.tool import ToolChoice, ToolInfo

from evals.task import Answer, Steps

SCRIPTED = "scripted/solutions"
_CHARACTERS_PER_TOKEN = 4


@dataclass
class Part:
    """A script in the course of a sample."""

    steps: Steps
    begun: bool = False

    def go_on(self, messages: list[ChatMessage]) -> ModelOutput:
        """Say the next line: a call, or the final answer."""
        last = messages[-1]
        try:
            if self.begun and isinstance(last, ChatMessageTool):
                call = self.steps.send(Answer(last.error.message if last.error else last.text))
            else:
                self.begun = True
                call = next(self.steps)
        except StopIteration as end:
            return ModelOutput.from_content(SCRIPTED, str(end.value))
        return ModelOutput.for_tool_call(SCRIPTED, call.tool, dict(call.arguments))


_PART: ContextVar[Part] = ContextVar("part")


@contextmanager
def playing(part: Part) -> Iterator[None]:
    """Have this part played by the scripted model, if it is the one that is asked."""
    token = _PART.set(part)
    try:
        yield
    finally:
        _PART.reset(token)


@modelapi(name="scripted")
class ScriptedModel(ModelAPI):
    """Player of the part of the present sample."""

    async def generate(
        self,
        input: list[ChatMessage],
        tools: list[ToolInfo],  # noqa: ARG002  the interface's
        tool_choice: ToolChoice,  # noqa: ARG002
        config: GenerateConfig,  # noqa: ARG002
    ) -> ModelOutput:
        """Play on."""
        output = _PART.get().go_on(input)
        read = await self.count_text_tokens("".join(message.text for message in input))
        said = await self.count_text_tokens(output.completion)
        output.usage = ModelUsage(input_tokens=read, output_tokens=said, total_tokens=read + said)
        return output

    async def count_text_tokens(self, text: str) -> int:
        """Estimate, from the length."""
        return len(text) // _CHARACTERS_PER_TOKEN
