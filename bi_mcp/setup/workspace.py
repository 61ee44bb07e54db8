"""One portal and one setup: export, plan, apply. What the commands and the tools share."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from anyio import to_thread

from bi_mcp.base.advice import AdviceKind, advise
from bi_mcp.base.language import say
from bi_mcp.errors import BiMcpError, PlanError
from bi_mcp.rest.kinds import KINDS
from bi_mcp.rest.models import ReceivedParameter
from bi_mcp.setup.apply import PlanApplication, Progress
from bi_mcp.setup.checking import check_endpoints, tell_unchecked
from bi_mcp.setup.export import Exported, ExportedReference, export_setup
from bi_mcp.setup.matching import add_pairs, match
from bi_mcp.setup.planning import PlanInput, make_plan
from bi_mcp.setup.resumption import SETTLED_AFTER_S, Clock, resume
from bi_mcp.setup.state import Known, StateDraft
from bi_mcp.vault.known_values import NOTHING_KNOWN, known_values

if TYPE_CHECKING:
    from bi_mcp.endpoints.caller import EndpointCaller
    from bi_mcp.history.entries import History
    from bi_mcp.rest.client import BIConnector
    from bi_mcp.rest.generation import PortalGeneration
    from bi_mcp.rest.snapshot import Snapshot
    from bi_mcp.setup.matching import Pairs
    from bi_mcp.setup.plan import Plan
    from bi_mcp.setup.report import Report
    from bi_mcp.setup.setup import Setup
    from bi_mcp.setup.state_file import StateKeeper
    from bi_mcp.vault.setting_values import SettingValues

# More deletions than this are more often a wrong file than a wish.
MOST_DELETIONS = 10


@dataclass(frozen=True)
class Planned:
    """A plan with what it was made of."""

    plan: Plan
    setup: Setup
    pairs: Pairs
    snapshot: Snapshot
    generation: PortalGeneration
    prune: bool


@dataclass
class Workspace:
    """A portal and a setup. `keeper` holds the state of the setup on this portal, `values` finds the values of references."""

    bi: BIConnector
    keeper: StateKeeper
    values: SettingValues
    caller: EndpointCaller | None = None
    clock: Clock = field(default_factory=Clock)
    settled_after: float = SETTLED_AFTER_S
    history: History | None = None

    async def export(
        self, *, shown_settings: frozenset[str] = frozenset(), existing: Setup | None = None
    ) -> Exported:
        """Write down everything that the portal shows this application. An `existing` setup keeps its keys and references."""
        snapshot = await self.bi.snapshot()
        generation = await self.bi.datasets.generation()
        state = self.keeper.read()
        if existing is not None:
            state = add_pairs(match(existing, snapshot, state), state)
        return export_setup(
            snapshot,
            state,
            shown_settings=shown_settings,
            generation=generation,
            references=self._references(existing),
            known=await to_thread.run_sync(known_values, self.values),
            stored_only=self.values.own_only,
        )

    def _references(self, existing: Setup | None) -> dict[tuple[str, str], ExportedReference]:
        """The values of a setup's references on this machine, None where a value cannot be found."""
        found = dict[tuple[str, str], ExportedReference]()
        for key, source in (existing.sources if existing else {}).items():
            for code, value in source.settings.items():
                if isinstance(value, str | int):
                    continue
                try:
                    secret = self.values.resolve({code: value}, [ReceivedParameter(code=code)])[code]
                except BiMcpError:
                    secret = None
                found[key, code] = ExportedReference(value, secret)
        return found

    def remember(self, exported: Exported) -> None:
        """Let the state know under which keys a portal was exported."""
        draft = StateDraft(self.keeper.read())
        for group, keys in exported.keys.items():
            for id, key in keys.items():
                if key in exported.setup.entries(group):
                    draft.adopt(group, key, id)
        self.keeper.write(draft.state())

    def remember_pairs(self, planned: Planned) -> None:
        """Store the objects that were matched by name in the state: their names in the file may change."""
        self.keeper.write(add_pairs(planned.pairs, self.keeper.read()))

    async def plan(self, setup: Setup, *, prune: bool = False) -> Planned:
        """Compare the setup with the portal. Raises `PlanError` where an object cannot be identified."""
        snapshot = await self.bi.snapshot()
        generation = await self.bi.datasets.generation()
        return await to_thread.run_sync(self._plan, setup, snapshot, generation, prune)

    def _plan(self, setup: Setup, snapshot: Snapshot, generation: PortalGeneration, prune: bool) -> Planned:
        """Plan beside the event loop: comparing a thousand datasets takes a second, and a keyring may wait for its user."""
        plain = any(
            isinstance(value, str | int)
            for entry in setup.sources.values()
            for value in entry.settings.values()
        )
        wanted = PlanInput(
            setup=setup,
            snapshot=snapshot,
            state=self.keeper.read(),
            values=self.values,
            generation=generation,
            prune=prune,
            # A keyring may let wait: it is asked where a value might be shown.
            known=known_values(self.values) if plain else NOTHING_KNOWN,
        )
        plan, pairs = make_plan(wanted)
        return Planned(plan, setup, pairs, snapshot, generation, prune)

    async def resume(self) -> None:
        """Clear up after an application that was cut off. To be called before a plan that is to be applied."""
        await resume(self.bi, self.keeper, self.clock, settled_after=self.settled_after)

    async def prepare(
        self,
        setup: Setup,
        checksum: str,
        *,
        prune: bool = False,
        check: bool = True,
        most_deletions: int = MOST_DELETIONS,
        progress: Progress | None = None,
    ) -> PlanApplication:
        """The run of the plan that has this checksum. Raises `PlanError`, and has sent nothing, where the portal has moved since."""
        planned = await self.plan(setup, prune=prune)
        if planned.plan.checksum != checksum:
            raise PlanError(
                say(
                    "Nothing was sent: the portal or the file has changed since this plan was made. Plan again and look at it."
                )
            )
        if planned.plan.obstacles:
            raise PlanError(say("Nothing was sent. {obstacles}", obstacles=" ".join(planned.plan.obstacles)))
        _check_deletions(len(planned.plan.deletions), most_deletions)
        checks = list[str]()
        if check and self.caller is not None:
            checks = await check_endpoints(planned.plan, setup, self.values, self.caller)
        return PlanApplication(
            bi=self.bi,
            setup=planned.setup,
            plan=planned.plan,
            pairs=planned.pairs,
            snapshot=planned.snapshot,
            keeper=self.keeper,
            values=self.values,
            generation=planned.generation,
            clock=self.clock,
            progress=progress,
            history=self.history,
            checks=checks,
        )

    async def apply(self, setup: Setup, checksum: str, **options: Any) -> Report:
        """`prepare` with its options, and run."""
        return await (await self.prepare(setup, checksum, **options)).run()

    async def verify(self, report: Report, setup: Setup, *, prune: bool = False) -> Report:
        """Read the portal again after everything was done, and add to the report whether it is as the setup says."""
        if not report.complete:
            return report
        try:
            left = (await self.plan(setup, prune=prune)).plan
        except BiMcpError as error:
            checked = say(
                "All was done, but the portal could not be read again to check it. {error}", error=error
            )
            return replace(report, checks=[*report.checks, checked])
        if left.changes:
            named = ", ".join(
                dict.fromkeys(f"{change.group} {change.key or change.id}" for change in left.changes)
            )
            checked = say(
                "Checked afterwards: these still differ: {objects}. Plan again to see how.", objects=named
            )
        else:
            checked = say("Checked afterwards: the portal is as the setup says.")
        return replace(report, checks=[*report.checks, checked, *tell_unchecked(report)])

    async def adopt(self, setup: Setup, assignment: str) -> None:
        """Adopt an object, as in `connectors.sales=5`: from now on the key means that object. Raises `PlanError` where the key or the object does not exist."""
        place, _, id = assignment.partition("=")
        groups, _, key = place.partition(".")
        group = next((group for group in KINDS if f"{group}s" == groups), None)
        if group is None or not id.isdecimal():
            raise PlanError(
                say(
                    "{assignment!r} is not written as in connectors.sales=5. Write GROUPS.KEY=ID.",
                    assignment=assignment,
                ),
                advise(AdviceKind.SEE_LIST, group=group or "connector"),
            )
        if key not in setup.entries(group):
            raise PlanError(
                say(
                    "The file has no {groups}.{key}. Check its spelling, or add it to the file.",
                    groups=groups,
                    key=key,
                )
            )
        if int(id) not in (await self.bi.snapshot()).of(group):
            raise PlanError(
                say(
                    "The portal shows this application no {group} {id}. Take the id of another.",
                    group=group,
                    id=id,
                ),
                advise(AdviceKind.SEE_LIST, group=group),
            )
        draft = StateDraft(self.keeper.read())
        draft.put(group, key, Known(id=int(id)))
        self.keeper.write(draft.state())


def _check_deletions(deletions: int, most: int) -> None:
    if deletions > most:
        raise PlanError(
            say(
                "Nothing was sent: the plan deletes or replaces {deletions} objects, more than the {most} that are allowed.",
                deletions=deletions,
                most=most,
            ),
            advise(AdviceKind.ALLOW_DELETIONS, deletions=deletions),
        )
