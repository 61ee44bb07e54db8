"""A portal's setup as a file, as tools: export, plan, apply. A plan is seen before it is applied."""

from __future__ import annotations

import json
import re
import secrets
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from anyio import CapacityLimiter, to_thread
from pydantic import BeforeValidator, Field

from bi_mcp.app.app import App, SeenPlan
from bi_mcp.base.language import say
from bi_mcp.base.progress import report
from bi_mcp.diagnostics.portal.blast_radius import BlastRadius, Thing
from bi_mcp.errors import InvalidRequestError
from bi_mcp.rest.methods import Effect
from bi_mcp.server.tools.answers import Answer, Preview, address
from bi_mcp.server.tools.confirmation import Gated, ask
from bi_mcp.server.tools.context import BiContext, app_of
from bi_mcp.server.tools.tool import ToolDeclaration

if TYPE_CHECKING:
    from bi_mcp.setup.plan import Plan
    from bi_mcp.setup.setup import Setup
    from bi_mcp.setup.state_file import StateKeeper

LONGEST_TEXT = 200_000

# One setup at a time: several at once would multiply the memory.
_READERS = CapacityLimiter(1)
MARK = "# exported: "
SUFFIXES = {".yaml", ".yml", ".json"}

File = Annotated[str | None, Field(description="File in the workspace folder")]


class SetupText(Answer):
    """A setup as YAML."""

    setup: str
    left_out: list[str]

    def headline(self) -> str:
        if not self.left_out:
            return "the whole portal as a setup file."
        return f"the portal as a setup file, but for what was left out ({len(self.left_out)}): {' '.join(self.left_out)}"

    def text(self, tool: str) -> str:
        """YAML is read faster than JSON that holds it."""
        return "\n".join(part for part in (f"{tool}: {self.headline()}", self.notice, self.setup) if part)


class PlannedSetup(Answer):
    """The effect of applying a setup. `token` is passed to workspace_apply."""

    summary: str
    token: str | None = None
    changes: list[dict[str, Any]]
    notes: list[str]
    obstacles: list[str]
    plan: str

    def headline(self) -> str:
        if self.obstacles:
            return f"{self.summary} It cannot be applied: {' '.join(self.obstacles)}"
        if self.token is None:
            return self.summary
        return f"{self.summary} Show the plan to the person; only if they agree call workspace_apply with token {self.token}."

    def text(self, tool: str) -> str:
        """The plan in lines, as a person reads it. Titles in it come from outside."""
        return "\n".join(part for part in (f"{tool}: {self.headline()}", self.notice, self.plan) if part)


class Applied(Answer):
    """The outcome of each step."""

    complete: bool
    summary: str
    results: list[dict[str, Any]]
    notes: list[str]

    def headline(self) -> str:
        return self.summary

    def changed_objects(self, group: str) -> list[str]:  # noqa: ARG002  an application is about objects of all groups
        """Addresses of the objects that were changed, or may have been."""
        written = [item for item in self.results if item["outcome"] in {"done", "unknown"} and item.get("id")]
        return list(dict.fromkeys(address(item["group"], item["id"]) for item in written))


async def _application(token: str, ctx: BiContext) -> Gated:
    seen = _find_plan(app_of(ctx), token)

    async def look() -> BlastRadius | None:
        plan = seen.planned.plan
        # An address that moves takes the sources' values along: that has consequences and deletes nothing.
        grave = [change for change in plan.changes if change.deletes or change.consequences]
        if not grave:
            return None
        touched = [Thing(change.group, change.id or 0, change.label) for change in grave]
        return BlastRadius(
            act=say(
                "The plan {checksum} would be applied: {summary}",
                checksum=plan.checksum,
                summary=plan.summary(),
            ),
            target=Thing("plan", 0, plan.checksum),
            dependents=touched,
            consequences=list(dict.fromkeys(text for change in plan.changes for text in change.consequences)),
        )

    return Gated("workspace_apply", {"token": token}, look)


Consent = Annotated[Preview | None, ask(_application)]


async def workspace_export(ctx: BiContext, file: File = None) -> SetupText:
    """Write the whole portal as a setup file (YAML): objects by key, secrets as references. With file, an existing one keeps its
    comments and keys. Returns the text; changes nothing.
    """
    await to_thread.run_sync(_load)
    from bi_mcp.setup.file import write_setup

    app = app_of(ctx)
    existing = await to_thread.run_sync(_read, app, file, limiter=_READERS) if file else None
    _check_length(existing or "")
    keeper = _keeper(app, file)
    workspace = app.workspace(keeper)
    exported = await workspace.export(
        shown_settings=app.shown_settings,
        existing=await _parse_setup(existing, file or "") if existing else None,
    )
    text = await to_thread.run_sync(write_setup, exported.setup, existing, limiter=_READERS)
    if file is None:
        # A text has no state file: its origin is remembered for as long as the server runs.
        workspace.remember(exported)
        text = f"{MARK}{app.remember_export(keeper)}\n{text}"
    _check_length(text)
    return SetupText(setup=text, left_out=list(exported.left_out))


def _check_length(text: str) -> None:
    if len(text) > LONGEST_TEXT:
        raise InvalidRequestError(
            say(
                "workspace_export: the setup has {text} characters, more than a chat can hold. Let the user run `bi-mcp export bi.yaml`.",
                text=len(text),
            )
        )


def _as_text(setup: object) -> object:
    """A model may send the setup itself instead of its text, or the text as it shows one in a chat."""
    if isinstance(setup, dict):
        return json.dumps(setup, ensure_ascii=False)
    fenced = re.fullmatch(r"\s*```\w*\n(.*)```\s*", setup, re.DOTALL) if isinstance(setup, str) else None
    return fenced[1] if fenced else setup


async def workspace_plan(
    ctx: BiContext,
    setup: Annotated[
        str | None,
        BeforeValidator(_as_text),
        Field(description="As workspace_export writes it"),
    ] = None,
    file: File = None,
    prune: Annotated[bool, Field(description="Delete what the setup does not have")] = False,
) -> PlannedSetup:
    """Compare a setup with the portal: what would be created, updated, replaced and deleted, and why. Changes nothing; its token
    is for workspace_apply.
    """
    await to_thread.run_sync(_load)
    from bi_mcp.setup.state_file import lock
    from bi_mcp.setup.workspace import MOST_DELETIONS

    app = app_of(ctx)
    wanted = await _setup(app, setup, file)
    keeper = _find_export(app, setup) or _keeper(app, file)
    workspace = app.workspace(keeper)
    with lock(keeper):
        await workspace.resume()
    planned = await workspace.plan(wanted, prune=prune)
    plan = planned.plan
    obstacles = [*plan.obstacles]
    if len(plan.deletions) > MOST_DELETIONS:
        obstacles.append(
            f"It deletes or replaces {len(plan.deletions)} objects. More than {MOST_DELETIONS} at once are for the user: bi-mcp apply."
        )
    token = None
    if plan.changes and not obstacles:
        token = secrets.token_urlsafe(12)
        app.remember(token, SeenPlan(app.portal.title, planned, keeper))
    return await to_thread.run_sync(_answer, plan, token, obstacles)


def _answer(plan: Plan, token: str | None, obstacles: list[str]) -> PlannedSetup:
    from bi_mcp.setup.plan_text import render_plan

    return PlannedSetup(
        summary=plan.summary(),
        token=token,
        changes=[change.as_json() for change in plan.changes],
        notes=list(plan.notes),
        obstacles=obstacles,
        plan=render_plan(plan),
    )


async def workspace_apply(ctx: BiContext, token: str, consent: Consent) -> Applied:  # noqa: ARG001  the question was asked
    """Carry out the plan that workspace_plan gave this token for. Refused when the portal has changed since. Checks the
    connectors first; can be called again after a new plan where something was left undone.
    """
    from bi_mcp.setup.state_file import lock

    app = app_of(ctx)
    seen = _find_plan(app, token)
    app.forget(token)
    planned = seen.planned
    workspace = app.workspace(seen.keeper)
    async with app.portal.addresses_settled:
        with lock(seen.keeper):
            application = await workspace.prepare(
                planned.setup, planned.plan.checksum, prune=planned.prune, progress=report
            )
            return Applied(**(await application.run()).as_json())


def _find_plan(app: App, token: str) -> SeenPlan:
    seen = app.plans.get(token)
    if seen is None or seen.portal != app.portal.title:
        raise InvalidRequestError(
            say(
                "workspace_apply: there is no plan with this token here; it was applied, or the server has started anew. Call workspace_plan again and show its plan."
            )
        )
    return seen


def _load() -> None:
    """Load what only these tools need, beside the event loop: the first time that takes a quarter of a second."""
    workspace = (f"bi_mcp.setup.{module}" for module in ("file", "plan_text", "state_file", "workspace"))
    for module in (*workspace, "bi_mcp.endpoints.caller", "filelock"):
        import_module(module)


async def _setup(app: App, setup: str | None, file: str | None) -> Setup:
    if (setup is None) == (file is None):
        raise InvalidRequestError(
            say("workspace_plan takes either setup (the text) or file. Pass one of them.")
        )
    if setup is not None:
        return await _parse_setup(setup, "setup")
    return await _parse_setup(await to_thread.run_sync(_read, app, file or "", limiter=_READERS), file or "")


async def _parse_setup(text: str, name: str) -> Setup:
    """Parse a setup beside the event loop, with the bounds of a server: others wait for their answers."""
    from bi_mcp.setup.document import OF_A_SERVER
    from bi_mcp.setup.file import read_setup

    return await to_thread.run_sync(read_setup, text, name, OF_A_SERVER, limiter=_READERS)


def _keeper(app: App, file: str | None) -> StateKeeper:
    from bi_mcp.setup.state_file import keeper_at

    return keeper_at(_inside(app, file) if file else None, app.portal.identity)


def _find_export(app: App, setup: str | None) -> StateKeeper | None:
    """Return the state of the setup that was exported as this text. Its keys mean the same objects, even where titles were changed in it."""
    marked = re.match(rf"{MARK}(\S+)", setup or "")
    keeper = app.exports.get(marked[1]) if marked else None
    # Planned for another portal, its ids would mean other objects there.
    return keeper if keeper is not None and keeper.read().portal == app.portal.identity.address else None


def _read(app: App, file: str) -> str:
    from bi_mcp.setup.document import OF_A_SERVER
    from bi_mcp.setup.setup_text import read_setup_text

    return read_setup_text(_inside(app, file), file, OF_A_SERVER)


def _inside(app: App, file: str) -> Path:
    """A model names the file: it must be a setup, and lie in the folder that the user opened."""
    folder = app.workspace_folder
    if folder is None:
        raise InvalidRequestError(
            say(
                "file: no workspace folder is configured. Pass the text as setup, or ask the user to start the server with --workspace DIR."
            )
        )
    path = (folder / file).resolve()
    if not path.is_relative_to(folder.resolve()) or path.suffix not in SUFFIXES:
        raise InvalidRequestError(say("file: name a .yaml, .yml or .json file inside the workspace folder."))
    return path


TOOLS = (
    ToolDeclaration(workspace_export, title="Export the portal's setup", own_effect=Effect.READ),
    ToolDeclaration(workspace_plan, title="Plan a setup", own_effect=Effect.READ),
    ToolDeclaration(workspace_apply, title="Apply a plan", own_effect=Effect.DELETE),
)
