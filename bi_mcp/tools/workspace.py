"""A portal's setup as a file, as tools: export, plan, apply. A plan is seen before it is applied."""

from __future__ import annotations

import json
import re
import secrets
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import BeforeValidator, Field

from bi_mcp.diagnostics.blast_radius import BlastRadius, Thing
from bi_mcp.errors import InvalidRequestError
from bi_mcp.language import say
from bi_mcp.progress import report
from bi_mcp.rest.methods import Effect
from bi_mcp.tools.answers import Answer, Preview, address
from bi_mcp.tools.app import App, BiContext, SeenPlan, app_of
from bi_mcp.tools.confirmation import Gated, ask
from bi_mcp.tools.tool import ToolDeclaration

if TYPE_CHECKING:
    from bi_mcp.workspace.setup import Setup
    from bi_mcp.workspace.state_file import StateKeeper

LONGEST_TEXT = 200_000
# Reading takes a second per million characters, and others wait for it.
LONGEST_ARGUMENT = 1_000_000
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
    """What applying a setup would do. `token` is what workspace_apply takes."""

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
    """What became of each step."""

    complete: bool
    summary: str
    results: list[dict[str, Any]]
    notes: list[str]

    def headline(self) -> str:
        return self.summary

    def changed(self, group: str) -> list[str]:  # noqa: ARG002  an application is about objects of all groups
        """What was changed, and what may have been."""
        written = [item for item in self.results if item["outcome"] in {"done", "unknown"} and item.get("id")]
        return list(dict.fromkeys(address(item["group"], item["id"]) for item in written))


async def _application(token: str, ctx: BiContext) -> Gated:
    seen = _seen(app_of(ctx), token)

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
    from bi_mcp.workspace.file import read_setup, write_setup

    app = app_of(ctx)
    existing = _read(app, file) if file else None
    keeper = _keeper(app, file)
    workspace = app.workspace(keeper)
    exported = await workspace.export(
        shown_settings=app.shown_settings, existing=read_setup(existing, file or "") if existing else None
    )
    text = write_setup(exported.setup, existing)
    if file is None:
        # A text has no state beside it: what it came from is remembered for as long as the server runs.
        workspace.remember(exported)
        text = f"{MARK}{app.remember_export(keeper)}\n{text}"
    if len(text) > LONGEST_TEXT:
        raise InvalidRequestError(
            say(
                "workspace_export: the setup has {text} characters, more than a chat can hold. Let the user run `bi-mcp export bi.yaml`.",
                text=len(text),
            )
        )
    return SetupText(setup=text, left_out=list(exported.left_out))


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
        Field(description="YAML or JSON, as workspace_export writes it"),
    ] = None,
    file: File = None,
    prune: Annotated[bool, Field(description="Delete what the setup does not have")] = False,
) -> PlannedSetup:
    """Compare a setup with the portal: what would be created, updated, replaced and deleted, and why. Changes nothing; its token
    is for workspace_apply.
    """
    from bi_mcp.workspace.plan_text import render_plan
    from bi_mcp.workspace.state_file import locked
    from bi_mcp.workspace.workspace import MOST_DELETIONS

    app = app_of(ctx)
    wanted = _parse(app, setup, file)
    keeper = _exported(app, setup) or _keeper(app, file)
    workspace = app.workspace(keeper)
    with locked(keeper):
        await workspace.resume()
    planned = await workspace.plan(wanted, prune=prune)
    plan = planned.plan
    obstacles = list(plan.obstacles)
    if len(plan.deletions) > MOST_DELETIONS:
        obstacles.append(
            f"It deletes or replaces {len(plan.deletions)} objects. More than {MOST_DELETIONS} at once are for the user: bi-mcp apply."
        )
    token = None
    if plan.changes and not obstacles:
        token = secrets.token_urlsafe(12)
        app.remember(token, SeenPlan(app.portal.title, planned, keeper))
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
    from bi_mcp.workspace.state_file import locked

    app = app_of(ctx)
    seen = _seen(app, token)
    app.forget(token)
    planned = seen.planned
    workspace = app.workspace(seen.keeper)
    async with app.portal.addresses_settled:
        with locked(seen.keeper):
            application = await workspace.prepare(
                planned.setup, planned.plan.checksum, prune=planned.prune, progress=report
            )
            return Applied(**(await application.run()).as_json())


def _seen(app: App, token: str) -> SeenPlan:
    seen = app.plans.get(token)
    if seen is None or seen.portal != app.portal.title:
        raise InvalidRequestError(
            say(
                "workspace_apply: there is no plan with this token here; it was applied, or the server has started anew. Call workspace_plan again and show its plan."
            )
        )
    return seen


def _parse(app: App, setup: str | None, file: str | None) -> Setup:
    from bi_mcp.workspace.file import read_setup

    if (setup is None) == (file is None):
        raise InvalidRequestError(
            say("workspace_plan takes either setup (the text) or file. Pass one of them.")
        )
    if setup is None:
        return read_setup(_read(app, file or ""), file or "")
    if len(setup) > LONGEST_ARGUMENT:
        raise InvalidRequestError(
            say(
                "workspace_plan: setup has {count} characters, a call takes {most}. Pass it as file, or let the user run `bi-mcp plan FILE`.",
                count=len(setup),
                most=LONGEST_ARGUMENT,
            )
        )
    return read_setup(setup, "setup")


def _keeper(app: App, file: str | None) -> StateKeeper:
    from bi_mcp.workspace.state_file import keeper_at

    return keeper_at(_inside(app, file) if file else None, app.portal.identity)


def _exported(app: App, setup: str | None) -> StateKeeper | None:
    """What was exported as this text: its keys stand for the same objects, even where titles were changed in it."""
    marked = re.match(rf"{MARK}(\S+)", setup or "")
    keeper = app.exports.get(marked[1]) if marked else None
    # Planned for another portal, its ids would name strange objects there.
    return keeper if keeper is not None and keeper.read().portal == app.portal.identity.address else None


def _read(app: App, file: str) -> str:
    try:
        return _inside(app, file).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidRequestError(
            say("file: {file!r} cannot be read ({name}).", file=file, name=type(error).__name__)
        ) from None


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
