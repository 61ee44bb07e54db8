"""The finished tree, as the portal holds it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rich.tree import Tree

from bi_mcp.practice.demo.story import Story, expect

if TYPE_CHECKING:
    from collections.abc import Mapping


async def show_result(story: Story, connector: int, source: int, dataset: int) -> None:
    """Show the finished tree."""
    story.chapter("The result")
    layers = {}
    for group, id in (("connector", connector), ("source", source), ("dataset", dataset)):
        listed = await story.does(f"{group}_list", "found it by its id", filter={"id": id})
        expect([item["id"] for item in listed["items"]] == [id], f"{group} {id} is listed")
        layers[group] = (await story.does(f"{group}_get", "read it", id=id))["item"]
    story.console.print()
    story.console.print(build_tree(layers))


def build_tree(layers: Mapping[str, Mapping[str, Any]]) -> Tree:
    """Build the tree: connector → source → dataset → columns."""
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
