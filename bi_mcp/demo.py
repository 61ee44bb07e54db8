"""The main job from end to end, told as a story: a real MCP client starts the server over stdio and onboards real data.

It ends with status 0 only if every step did what it should.
"""

from __future__ import annotations

import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import anyio
import httpx2
from mcp import Client, StdioServerParameters
from mcp.types import TextContent, TextResourceContents
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text
from rich.tree import Tree

from bi_mcp import sample

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from mcp.types import CallToolResult

LOGIN = "demo"
# Where a user would keep a real password: in the environment of the server, named and never written in a call.
PASSWORD_VARIABLE = "BI_MCP_SECRET_SAMPLE_PASSWORD"  # noqa: S105  the name of a variable

COLUMNS = (
    {"name": "DAY", "externalCode": "FLIGHT_DATE", "type": "date"},
    {"name": "DEPARTURE", "externalCode": "SCHEDULED_DEPARTURE", "type": "datetime"},
    {"name": "CARRIER", "externalCode": "CARRIER", "type": "string"},
    {"name": "FLIGHT", "externalCode": "FLIGHT_NUMBER", "type": "int"},
    {"name": "TAIL_NUMBER", "externalCode": "TAIL_NUMBER", "type": "string"},
    {"name": "ORIGIN", "externalCode": "ORIGIN", "type": "string"},
    {"name": "DELAY", "externalCode": "DEPARTURE_DELAY", "type": "int"},
)
ADDED_COLUMN = {"name": "TEMPERATURE", "externalCode": "TEMPERATURE", "type": "double"}
HIDDEN_COLUMN = "TAIL_NUMBER"


class StepError(Exception):
    """A step did not do what it should."""


@dataclass
class Story:
    """Tells each step with the tool it uses, and checks what came back."""

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
        self._tell(uri, f"{len(text)} characters, live from the portal")
        return text

    async def does(self, tool: str, sentence: str, **arguments: Any) -> dict[str, Any]:
        """Call a tool that must succeed and return its structured content."""
        result = await self.client.call_tool(tool, arguments)
        expect(not result.is_error, f"{tool} succeeds, but it said: {text_of(result)}")
        content: dict[str, Any] = result.structured_content or {}
        self._tell(tool, sentence.format_map(content))
        return content

    async def is_refused(self, tool: str, expected: str, sentence: str, **arguments: Any) -> None:
        """Call a tool that must be refused, and show the error a model would read."""
        result = await self.client.call_tool(tool, arguments)
        text = text_of(result)
        expect(
            result.is_error is True and expected in text,
            f"{tool} is refused with {expected}, but it said: {text}",
        )
        self._tell(tool, sentence, mark="[yellow]✋[/yellow]")
        self.console.print(Padding(Text(text, style="dim"), (0, 0, 0, 6)))

    def _tell(self, name: str, sentence: str, mark: str = "[green]✓[/green]") -> None:
        self.step += 1
        self.console.print(f" {mark} {self.step:2}. [cyan]{name}[/cyan]  {sentence}", highlight=False)


def expect(holds: bool, what: str) -> None:
    """Stop the story where a step did not do what it should."""
    if not holds:
        raise StepError(f"Expected that {what}")


def text_of(result: CallToolResult) -> str:
    """The text of a tool's answer."""
    return "\n".join(block.text for block in result.content if isinstance(block, TextContent))


async def tell(story: Story) -> None:
    """Run the whole job."""
    await look_around(story)
    connector = await make_connector(story)
    source = await make_source(story, connector)
    dataset = await make_dataset(story, source)
    await change_columns(story, dataset)
    await provoke_refusals(story, connector, source)
    await show_result(story, connector, source, dataset)


async def look_around(story: Story) -> None:
    """What does this portal know?"""
    story.chapter("Look around: what may be sent to this portal, and what is there already")
    for group in ("connector", "source", "dataset"):
        expect(
            '"title"' in await story.read(f"bi://{group}/fields"), f"the fields of a {group} are described"
        )
    found = await story.does("connector_list", "{page} page read, more: {more}")
    expect(found["items"] == [], "the fresh portal holds no connector")


async def make_connector(story: Story) -> int:
    """First layer."""
    story.chapter("First layer: a connector, the template for one kind of external system")
    addresses = {name: sample.ORIGIN + path for name, path in sample.ENDPOINTS.items()}
    parameters = [
        {"code": "login", "name": "Login", "type": "STRING"},
        {"code": "password", "name": "Password", "type": "STRING"},
    ]
    fields = {
        "title": "Sample airline data",
        "logo": "https://example.com/plane.png",
        "settings": parameters,
        **addresses,
    }
    made = await story.does(
        "connector_add", "made connector {id} with four endpoints and two parameters", fields=fields
    )
    item = (await story.does("connector_get", "read it back to compare", id=made["id"]))["item"]
    expect(
        all(item[name] == address for name, address in addresses.items()), "the connector holds what was sent"
    )
    return int(made["id"])


async def make_source(story: Story, connector: int) -> int:
    """Second layer."""
    story.chapter("Second layer: a source, with the password named by reference and never written")
    settings = {"login": LOGIN, "password": {"env": PASSWORD_VARIABLE}}
    fields = {"title": "Flights from New York", "connectorId": connector, "settings": settings}
    made = await story.does(
        "source_add", "made source {id}; the portal called urlCheck and was let in", fields=fields
    )
    item = (
        await story.does("source_get", "read it back: every value is set and none is shown", id=made["id"])
    )["item"]
    expect([setting["set"] for setting in item["settings"]] == [True, True], "both parameters are set")
    expect(sample.DEMO_PASSWORD not in str(item), "the password does not come out")
    return int(made["id"])


async def make_dataset(story: Story, source: int) -> int:
    """Third layer."""
    story.chapter("Third layer: a dataset, a table of the source with typed columns")
    fields = {
        "name": "ny_flights",
        "sourceId": source,
        "externalCode": "flights",
        "externalName": "Flights",
        "description": "Departures from New York, first days of 2013",
        "fields": COLUMNS,
    }
    made = await story.does("dataset_add", f"made dataset {{id}} with {len(COLUMNS)} columns", fields=fields)
    item = (await story.does("dataset_get", "read it back to compare names, codes and types", id=made["id"]))[
        "item"
    ]
    held = [{name: column[name] for name in ("name", "externalCode", "type")} for column in item["fields"]]
    expect(held == list(COLUMNS), "the dataset holds the columns that were sent")
    return int(made["id"])


async def change_columns(story: Story, dataset: int) -> None:
    """Hide one column and add one."""
    story.chapter("Change columns: reports need no tail numbers, but the weather")
    ids = {column["name"]: column["id"] for column in await columns_of(story, dataset)}
    await story.does(
        "dataset_fields_update",
        f"hid {HIDDEN_COLUMN} and added {ADDED_COLUMN['name']} in one call",
        id=dataset,
        add=[ADDED_COLUMN],
        update=[{"id": ids[HIDDEN_COLUMN], "visible": False}],
    )
    visible = {column["name"]: column["visible"] for column in await columns_of(story, dataset)}
    expect(visible.pop(HIDDEN_COLUMN) is False, f"{HIDDEN_COLUMN} is hidden")
    expect(
        visible.pop(str(ADDED_COLUMN["name"])) is True and all(visible.values()),
        "every other column is visible",
    )


async def provoke_refusals(story: Story, connector: int, source: int) -> None:
    """Two mistakes and what a model reads then."""
    story.chapter("Two mistakes on purpose, and the texts with which a model repairs them")
    preview = (
        await story.does("connector_delete", "told what depends on it; nothing is deleted", id=connector)
    )["preview"]
    await story.is_refused(
        "connector_delete",
        "CONNECTOR_DELETE_RESTRICTED",
        "confirmed, and a connector in use stays all the same",
        id=connector,
        confirm=preview["confirm"],
    )
    fields = {
        "name": "more_flights",
        "sourceId": source,
        "externalCode": "flights",
        "externalName": "Flights",
        "fields": [{"name": "flight date", "externalCode": "FLIGHT_DATE", "type": "date"}],
    }
    await story.is_refused(
        "dataset_add", "capital Latin letter", "a bad column name is not even sent", fields=fields
    )
    listed = await story.does("dataset_list", "the refusals changed nothing")
    expect([item["name"] for item in listed["items"]] == ["ny_flights"], "there is one dataset still")


async def show_result(story: Story, connector: int, source: int, dataset: int) -> None:
    """The finished tree and the first rows, asked for as Bitrix24 asks."""
    story.chapter("The result")
    layers = {}
    for group, id in (("connector", connector), ("source", source), ("dataset", dataset)):
        listed = await story.does(f"{group}_list", "found it by its id", filter={"id": id})
        expect([item["id"] for item in listed["items"]] == [id], f"{group} {id} is listed")
        layers[group] = (await story.does(f"{group}_get", "read it", id=id))["item"]
    columns = layers["dataset"]["fields"]
    story.console.print()
    story.console.print(build_tree(layers))
    shown = [column for column in columns if column["visible"]]
    rows = await first_rows([column["externalCode"] for column in shown])
    expect(
        len(rows) == 6 and all(len(row) == len(shown) for row in rows),
        "the connector gives a header and five rows",
    )
    story.console.print(build_rows(shown, rows[1:]))


async def columns_of(story: Story, dataset: int) -> list[dict[str, Any]]:
    """The dataset's columns as they are now."""
    columns: list[dict[str, Any]] = (await story.does("dataset_get", "read its columns", id=dataset))["item"][
        "fields"
    ]
    return columns


async def first_rows(codes: Sequence[str]) -> list[list[object]]:
    """Ask the sample connector's `urlData` as Bitrix24 does, for five rows."""
    form = {
        "connection[login]": LOGIN,
        "connection[password]": sample.DEMO_PASSWORD,
        "table": "flights",
        "limit": "5",
    }
    selected = {f"select[{number}]": code for number, code in enumerate(codes)}
    carrier = httpx2.ASGITransport(app=sample.create_app())
    async with httpx2.AsyncClient(transport=carrier, base_url=sample.ORIGIN) as http:
        answer = await http.post(sample.ENDPOINTS["urlData"], data=form | selected)
    expect(answer.status_code == 200, f"urlData answers with HTTP 200, not {answer.status_code}")
    rows: list[list[object]] = answer.json()
    return rows


def build_tree(layers: Mapping[str, Mapping[str, Any]]) -> Tree:
    """Connector → source → dataset → columns."""
    connector, source, dataset = layers["connector"], layers["source"], layers["dataset"]
    tree = Tree(f"[bold]connector {connector['id']}[/bold] {connector['title']}")
    branch = tree.add(f"[bold]source {source['id']}[/bold] {source['title']}")
    leaf = branch.add(
        f"[bold]dataset {dataset['id']}[/bold] {dataset['name']} [dim](table {dataset['externalCode']})[/dim]"
    )
    for column in dataset["fields"]:
        hidden = "" if column["visible"] else " [yellow](hidden)[/yellow]"
        leaf.add(
            f"{column['name']} [cyan]{column['type']}[/cyan] [dim]← {column['externalCode']}[/dim]{hidden}"
        )
    return tree


def build_rows(columns: Sequence[Mapping[str, Any]], rows: Sequence[Sequence[object]]) -> Table:
    """The first rows under the names that a report sees."""
    table = Table(
        title="First rows, as Bitrix24 gets them from urlData", box=SIMPLE_HEAD, show_edge=False, padding=0
    )
    for column in columns:
        justify: Literal["left", "right"] = "right" if column["type"] in {"int", "double"} else "left"
        table.add_column(column["name"], justify=justify, no_wrap=True)
    for row in rows:
        table.add_row(*("" if value is None else str(value) for value in row))
    return table


async def run(console: Console) -> int:
    """Start the server as a client does, on a portal of its own, tell the story, return the exit status."""
    with tempfile.TemporaryDirectory() as folder:
        environment = {
            # Neither the user's profiles nor their history have to do with this.
            "BI_MCP_CONFIG_DIR": folder,
            "BI_MCP_PORTAL_DB": str(Path(folder) / "portal.sqlite3"),
            PASSWORD_VARIABLE: sample.DEMO_PASSWORD,
        }
        server = StdioServerParameters(command=sys.executable, args=["-m", "bi_mcp"], env=environment)
        async with Client(server) as client:
            console.print(
                "[bold]bi-mcp demo[/bold]: an MCP client, the server over stdio, the embedded practice portal"
            )
            try:
                await tell(Story(client, console))
            except StepError as error:
                console.print(f"\n[red]{error}[/red]")
                return 1
    console.print("\n[green]Every step did what it should.[/green] Nothing of this reached a real Bitrix24.")
    return 0


def main() -> None:
    """End with the story's exit status."""
    sys.exit(anyio.run(run, Console()))


if __name__ == "__main__":
    main()
