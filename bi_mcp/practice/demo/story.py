"""The steps of the story: made through an MCP client, checked and shown."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mcp.types import TextContent, TextResourceContents
from rich.padding import Padding
from rich.text import Text

if TYPE_CHECKING:
    from mcp import Client
    from mcp.types import CallToolResult
    from rich.console import Console


class StepError(Exception):
    """Error of a step that failed."""


@dataclass
class Story:
    """Narrator of the steps: shows each with the tool it uses, and checks its answer."""

    client: Client
    console: Console
    step: int = 0

    def chapter(self, title: str) -> None:
        """Begin a part of the story."""
        self.console.print(f"\n[bold]{title}[/bold]")

    async def read(self, uri: str) -> str:
        """Read a resource as text."""
        contents = (await self.client.read_resource(uri)).contents
        expect(len(contents) == 1 and isinstance(contents[0], TextResourceContents), f"{uri} is one text")
        text = contents[0].text if isinstance(contents[0], TextResourceContents) else ""
        self.tells(uri, f"{len(text)} characters, live from the portal")
        return text

    async def does(self, tool: str, sentence: str, **arguments: Any) -> dict[str, Any]:
        """Call a tool that must succeed and return its structured content."""
        result = await self.client.call_tool(tool, arguments)
        expect(not result.is_error, f"{tool} succeeds, but it said: {text_of(result)}")
        content: dict[str, Any] = result.structured_content or {}
        self.tells(tool, sentence.format_map(content))
        return content

    async def is_refused(self, tool: str, expected: str, sentence: str, **arguments: Any) -> None:
        """Call a tool that must be refused, and show the error a model would read."""
        result = await self.client.call_tool(tool, arguments)
        text = text_of(result)
        expect(
            result.is_error is True and expected in text,
            f"{tool} is refused with {expected}, but it said: {text}",
        )
        self.tells(tool, sentence, mark="[yellow]✋[/yellow]")
        self.console.print(Padding(Text(text, style="dim"), (0, 0, 0, 6)))

    def tells(self, name: str, sentence: str, mark: str = "[green]✓[/green]") -> None:
        """Count and show a step."""
        self.step += 1
        self.console.print(f" {mark} {self.step:2}. [cyan]{name}[/cyan]  {sentence}", highlight=False)


def expect(holds: bool, what: str) -> None:
    """Stop the story if a step failed."""
    if not holds:
        raise StepError(f"Expected that {what}")


def text_of(result: CallToolResult) -> str:
    """Return the text of a tool's answer."""
    return "\n".join(block.text for block in result.content if isinstance(block, TextContent))


async def columns_of(story: Story, dataset: int) -> list[dict[str, Any]]:
    """Return the present columns of the dataset."""
    columns: list[dict[str, Any]] = (await story.does("dataset_get", "read its columns", id=dataset))["item"][
        "fields"
    ]
    return columns
