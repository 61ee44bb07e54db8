"""The main job, chapter by chapter, up to a dataset."""

from __future__ import annotations

from bi_mcp.practice import sample
from bi_mcp.practice.demo.story import Story, columns_of, expect

LOGIN = "demo"
# A real password belongs here, too: in the environment of the server, named in a call and never written there.
PASSWORD_VARIABLE = "BI_MCP_SECRET_SAMPLE_PASSWORD"  # noqa: S105  the name of a variable

# Each name is its code: then charts work on portals of both generations.
COLUMNS = tuple(
    {"name": name, "externalCode": name, "type": column_type}
    for name, column_type in (
        ("FLIGHT_DATE", "date"),
        ("SCHEDULED_DEPARTURE", "datetime"),
        ("CARRIER", "string"),
        ("FLIGHT_NUMBER", "int"),
        ("TAIL_NUMBER", "string"),
        ("ORIGIN", "string"),
        ("DEPARTURE_DELAY", "int"),
    )
)
ADDED_COLUMN = {"name": "TEMPERATURE", "externalCode": "TEMPERATURE", "type": "double"}
HIDDEN_COLUMN = "TAIL_NUMBER"


async def look_around(story: Story) -> None:
    """Read the fields that this portal knows, and check that it is empty."""
    story.chapter("Look around: what may be sent to this portal, and what is there already")
    for group in ("connector", "source", "dataset"):
        expect('"id"' in await story.read(f"bi://{group}/fields"), f"the fields of a {group} are described")
    found = await story.does("connector_list", "{page} page read, more: {more}")
    expect(found["items"] == [], "the fresh portal holds no connector")


async def make_connector(story: Story) -> int:
    """Create the connector, the first layer."""
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
    answer = await story.does(
        "connector_add", "created connector {id} with four endpoints and two parameters", fields=fields
    )
    item = (await story.does("connector_get", "read it back to compare", id=answer["id"]))["item"]
    expect(
        all(item[name] == address for name, address in addresses.items()), "the connector holds what was sent"
    )
    return int(answer["id"])


async def make_source(story: Story, connector: int) -> int:
    """Create the source, the second layer."""
    story.chapter("Second layer: a source, with the password named by reference and never written")
    settings = {"login": LOGIN, "password": {"env": PASSWORD_VARIABLE}}
    fields = {"title": "Flights from New York", "connectorId": connector, "settings": settings}
    answer = await story.does(
        "source_add", "created source {id}; the portal called urlCheck and was let in", fields=fields
    )
    item = (
        await story.does("source_get", "read it back: every value is set and none is shown", id=answer["id"])
    )["item"]
    expect([setting["set"] for setting in item["settings"]] == [True, True], "both parameters are set")
    expect(sample.DEMO_PASSWORD not in str(item), "the password does not come out")
    return int(answer["id"])


async def make_dataset(story: Story, source: int) -> int:
    """Create the dataset, the third layer."""
    story.chapter("Third layer: a dataset, a table of the source with typed columns")
    fields = {
        "name": "ny_flights",
        "sourceId": source,
        "externalCode": "flights",
        "externalName": "Flights",
        "description": "Departures from New York, first days of 2013",
        "fields": COLUMNS,
    }
    answer = await story.does(
        "dataset_add", f"created dataset {{id}} with {len(COLUMNS)} columns", fields=fields
    )
    item = (
        await story.does("dataset_get", "read it back to compare names, codes and types", id=answer["id"])
    )["item"]
    held = [{name: column[name] for name in ("name", "externalCode", "type")} for column in item["fields"]]
    expect(held == list(COLUMNS), "the dataset holds the columns that were sent")
    return int(answer["id"])


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
    """Make two mistakes, and show the errors that a model reads."""
    story.chapter("Two mistakes on purpose, and the texts with which a model repairs them")
    preview = (
        await story.does("connector_delete", "showed what depends on it; nothing is deleted", id=connector)
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
