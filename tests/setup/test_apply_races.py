"""What `apply` and `undo` send does not stay with a host that a stored secret is not bound to, whoever moves the connector meanwhile."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from bi_mcp.base.secret import Secret
from bi_mcp.config import Generation
from bi_mcp.history.entries import find_undone
from bi_mcp.history.undo_run import Undo
from bi_mcp.rest import BIConnector
from bi_mcp.rest.models import ConnectorChanges, SourceChanges
from bi_mcp.setup.report import Report
from bi_mcp.setup.setup import Setup
from bi_mcp.setup.state_file import StateFile
from bi_mcp.setup.workspace import Workspace
from bi_mcp.vault.destinations import destination
from bi_mcp.vault.named_secrets import NamedSecrets
from bi_mcp.vault.setting_values import SecretReference, SettingValues
from tests.history.recorded import CANARY, Recorded, Tree, plant
from tests.racing import Race
from tests.rest.calling import CHECK, dataset_fields, source_fields
from tests.vault.keyrings import Keyring, system_keyring

pytestmark = pytest.mark.anyio

ELSEWHERE = "https://evil.example/data"
MOVE = ConnectorChanges(url_data=ELSEWHERE)
BACK = ConnectorChanges(url_data=f"{CHECK}/data")
FORMER = "what-it-was"


@pytest.fixture(autouse=True)
def keyring() -> Iterator[None]:
    with system_keyring(Keyring()):
        yield


@pytest.fixture
def generation() -> Generation:
    """One will do: connectors and sources are the same in both."""
    return "tables"


@dataclass
class Scene:
    """A portal at which somebody else is at work, too; the password of its source is the stored secret `shop`."""

    recorded: Recorded
    folder: Path
    tree: Tree
    race: dict[str, Callable[[], Awaitable[object]]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.named = NamedSecrets(self.folder)
        self.named.store("shop", Secret(CANARY), [destination(CHECK)], "file")
        self.bi = self.recorded.bi.through(lambda inner: Race(inner, self.race))
        values = SettingValues(lambda _: None, None, allow_literal_secrets=False, named=self.named)
        state = StateFile(self.folder / "setup.json", self.recorded.history.identity)
        self.workspace = Workspace(self.bi, state, values, history=self.recorded.history)

    @property
    def behind(self) -> BIConnector:
        return self.recorded.portal.bi

    @property
    def undo(self) -> Undo:
        return Undo(self.bi, self.recorded.history, self.named)

    def move(self, when: str, connector: int | None = None) -> None:
        self.race[when] = lambda: self.behind.connectors.update(connector or self.tree.connector, MOVE)

    def give(self, when: str) -> None:
        """Somebody makes a source with the secret."""
        fields = source_fields(self.tree.connector, CANARY).model_copy(update={"title": "Late"})
        self.race[when] = lambda: self.behind.sources.add(fields)

    async def setup(self) -> Setup:
        """The portal's own, with the secret by its name."""
        setup = (await self.workspace.export()).setup
        settings = {"login": "ann", "password": SecretReference(secret="shop")}
        sources = {
            key: entry.model_copy(update={"settings": settings}) for key, entry in setup.sources.items()
        }
        return setup.model_copy(update={"sources": sources})

    async def apply(self, setup: Setup) -> Report:
        return await self.workspace.apply(setup, (await self.workspace.plan(setup)).plan.checksum)

    async def undone(self, entry: str) -> str | None:
        [result] = await self.undo.run(await self.undo.plan([entry]))
        return result.error

    async def passwords(self) -> list[str]:
        listed = [source.id async for source in self.behind.sources.iterate()]
        held = [(await self.behind.sources.get(id)).settings or [] for id in listed]
        return [each.value.reveal() for settings in held for each in settings if each.code == "password"]

    async def address(self) -> str | None:
        return (await self.behind.connectors.get(self.tree.connector)).url_data


@pytest.fixture
async def scene(recorded: Recorded, tmp_path: Path) -> Scene:
    return Scene(recorded, tmp_path / "config", await plant(recorded.bi))


async def plant_more(scene: Scene) -> None:
    """Enough for a batch, each with a dataset."""
    for title in ("Sea", "Rail"):
        fields = source_fields(scene.tree.connector, CANARY).model_copy(update={"title": title})
        await scene.behind.datasets.add(dataset_fields(await scene.behind.sources.add(fields), title.lower()))


async def clear(scene: Scene) -> None:
    async for dataset in scene.behind.datasets.iterate():
        await scene.behind.datasets.delete(dataset.id)
    async for source in scene.behind.sources.iterate():
        await scene.behind.sources.delete(source.id)


@pytest.mark.parametrize("sources", [1, 3])
async def test_new_sources_are_taken_back_and_what_builds_on_them_is_not_made(
    scene: Scene, sources: int
) -> None:
    if sources > 1:
        await plant_more(scene)
    setup = await scene.setup()
    await clear(scene)
    scene.move("after biconnector.source.add")
    report = await scene.apply(setup)
    assert [result.step.group for result in report.of("refused")] == ["source"] * sources
    assert [result.step.group for result in report.of("skipped")] == ["dataset"] * sources
    told = report.of("refused")[0].why or ""
    assert "to which its stored secret may not be sent: evil.example. What was written was taken back" in told
    assert CANARY not in told
    assert await scene.passwords() == []

    # The next application finds nothing odd: the connector comes back, and all is made.
    assert (await scene.apply(setup)).complete
    assert await scene.passwords() == [CANARY] * sources
    assert await scene.address() == f"{CHECK}/data"


async def test_a_changed_source_gets_its_former_value_back(scene: Scene) -> None:
    setup = await scene.setup()
    changes = SourceChanges(settings={"password": Secret(FORMER)})
    await scene.behind.sources.update(scene.tree.source, changes)
    scene.move("after biconnector.source.update")
    [refused] = (await scene.apply(setup)).of("refused")
    assert "was taken back" in (refused.why or "")
    assert await scene.passwords() == [FORMER]
    await scene.behind.connectors.update(scene.tree.connector, BACK)
    assert (await scene.apply(setup)).complete
    assert await scene.passwords() == [CANARY]


async def test_a_source_stays_where_its_successor_is_taken_back(scene: Scene) -> None:
    setup = await scene.setup()
    [key] = setup.sources
    await scene.workspace.adopt(setup, f"sources.{key}={scene.tree.source}")
    [connector] = setup.connectors.values()
    second = {"second": connector.model_copy(update={"title": "Second"})}
    sources = {key: entry.model_copy(update={"connector": "second"}) for key, entry in setup.sources.items()}
    changed = setup.model_copy(update={"connectors": setup.connectors | second, "sources": sources})

    async def move_the_newest() -> None:
        newest = max([item.id async for item in scene.behind.connectors.iterate()])
        await scene.behind.connectors.update(newest, MOVE)

    scene.race["after biconnector.source.add"] = move_the_newest
    report = await scene.apply(changed)
    assert "was taken back" in (report.of("refused")[0].why or "")
    assert [source.id async for source in scene.behind.sources.iterate()] == [scene.tree.source]
    assert (await scene.apply(changed)).complete
    assert await scene.passwords() == [CANARY]
    assert scene.tree.source not in [source.id async for source in scene.behind.sources.iterate()]


async def test_an_applied_move_is_set_back_where_a_source_got_the_secret_meanwhile(scene: Scene) -> None:
    setup = await scene.setup()
    await clear(scene)
    connectors = {
        key: entry.model_copy(update={"url_data": ELSEWHERE}) for key, entry in setup.connectors.items()
    }
    moved = setup.model_copy(update={"connectors": connectors, "sources": {}, "datasets": {}})
    scene.give("before biconnector.connector.update")
    [refused] = (await scene.apply(moved)).of("refused")
    assert "are again as they were" in (refused.why or "")
    assert CANARY not in (refused.why or "")
    assert await scene.address() == f"{CHECK}/data"


async def test_an_application_that_nobody_disturbs_stays(scene: Scene) -> None:
    await plant_more(scene)
    setup = await scene.setup()
    await clear(scene)
    assert (await scene.apply(setup)).complete
    assert await scene.passwords() == [CANARY] * 3


@pytest.mark.parametrize("failing", ["biconnector.source.delete", "biconnector.connector.get"])
async def test_what_cannot_be_taken_back_or_looked_at_is_told(scene: Scene, failing: str) -> None:
    setup = await scene.setup()
    await clear(scene)
    scene.move("after biconnector.source.add")
    faults = scene.recorded.portal.faults
    armed = scene.race["after biconnector.source.add"]

    async def move_and_fail() -> None:
        await armed()
        faults.arm("internal_error", method=failing, times=5)

    scene.race["after biconnector.source.add"] = move_and_fail
    [refused] = (await scene.apply(setup)).of("refused")
    assert ("do it by hand" in (refused.why or "")) is (failing == "biconnector.source.delete")
    assert len(await scene.passwords()) == (failing == "biconnector.source.delete")


async def test_a_source_that_is_made_again_is_taken_back_and_can_be_made_again_later(scene: Scene) -> None:
    await scene.behind.datasets.delete(scene.tree.dataset)
    await scene.recorded.bi.sources.delete(scene.tree.source)
    deletion = scene.recorded.entries[-1].id
    scene.move("after biconnector.source.add")
    error = await scene.undone(deletion) or ""
    assert "evil.example. What was written was taken back" in error
    assert CANARY not in error
    assert await scene.passwords() == []
    # What was taken back reverts nothing: neither is offered, and the deletion can be undone still.
    assert deletion not in find_undone(scene.recorded.entries)
    await scene.behind.connectors.update(scene.tree.connector, BACK)
    assert await scene.undone(deletion) is None
    assert await scene.passwords() == [CANARY]


async def test_a_source_that_is_set_back_gets_its_value_back(scene: Scene) -> None:
    changes = SourceChanges(settings={"password": Secret(FORMER)})
    await scene.recorded.bi.sources.update(scene.tree.source, changes)
    change = scene.recorded.entries[-1].id
    scene.move("after biconnector.source.update")
    assert "was taken back" in (await scene.undone(change) or "")
    assert await scene.passwords() == [FORMER]


async def test_addresses_that_are_set_back_return_where_a_source_got_the_secret_meanwhile(
    scene: Scene,
) -> None:
    await clear(scene)
    await scene.behind.connectors.update(scene.tree.connector, MOVE)
    await scene.recorded.bi.connectors.update(scene.tree.connector, BACK)
    move = scene.recorded.entries[-1].id
    scene.give("before biconnector.connector.update")
    error = await scene.undone(move) or ""
    assert "are again as they were" in error
    assert await scene.address() == f"{CHECK}/data"


async def test_a_former_value_is_not_made_again_where_it_was_never_bound_to(scene: Scene) -> None:
    await scene.behind.datasets.delete(scene.tree.dataset)
    await scene.recorded.bi.sources.delete(scene.tree.source)
    deletion = scene.recorded.entries[-1].id
    scene.named.store("shop", Secret("rotated"), [destination(CHECK), "evil.example"], "file")
    await scene.behind.connectors.update(scene.tree.connector, MOVE)
    error = await scene.undone(deletion) or ""
    assert "settings.password holds a former value of the secret shop" in error
    assert await scene.passwords() == []
