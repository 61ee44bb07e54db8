"""Implementation of the workspace tools. Loaded at their first call: it needs the whole of `setup`, and most chats never call them."""

from __future__ import annotations

import json
import re
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

# Loaded here, because loading it at its first use would hold up the event loop.
import filelock  # noqa: F401
from anyio import CapacityLimiter, to_thread

from bi_mcp.app.app import App, SeenPlan
from bi_mcp.base.language import say
from bi_mcp.base.progress import report
from bi_mcp.base.quoting import quote
from bi_mcp.endpoints import caller  # noqa: F401  as above
from bi_mcp.errors import InvalidRequestError
from bi_mcp.server.tools.setup_answers import Applied, PlannedSetup, SetupText
from bi_mcp.setup.document import OF_A_SERVER
from bi_mcp.setup.file import read_setup, write_setup
from bi_mcp.setup.mapping import ReplacedSetup
from bi_mcp.setup.plan import Plan
from bi_mcp.setup.plan_text import render_plan
from bi_mcp.setup.setup import Setup
from bi_mcp.setup.setup_text import read_setup_text
from bi_mcp.setup.state_file import StateKeeper, keeper_at, lock
from bi_mcp.setup.stored_choices import propose_replacements
from bi_mcp.setup.workspace import MOST_DELETIONS

LONGEST_TEXT = 200_000
MARK = "# exported: "
SUFFIXES = {".yaml", ".yml", ".json"}

# One setup at a time: several at once would multiply the memory.
_READERS = CapacityLimiter(1)


async def export_portal(app: App, file: str | None) -> SetupText:
    """Write the portal's setup, into the text of an existing file if there is one."""
    existing = await to_thread.run_sync(_read, app, file, limiter=_READERS) if file else None
    _check_length(existing or "")
    keeper = _keeper(app, file)
    workspace = app.workspace(keeper)
    exported = await workspace.export(
        shown_settings=app.shown_settings,
        existing=await _parse_setup(existing, file or "") if existing else None,
    )
    text = await to_thread.run_sync(write_setup, exported.setup, existing, limiter=_READERS)
    if len(text) > LONGEST_TEXT and app.setting_values.own_only:
        raise InvalidRequestError(
            say(
                "workspace_export: the setup has {text} characters, more than a chat can hold. Read what you need with portal_map and by id.",
                text=len(text),
            )
        )
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


@dataclass(frozen=True)
class Wanted:
    """The setup that is wanted: a text, a file, or that of another portal; and texts to replace in it."""

    setup: str | None = None
    file: str | None = None
    from_portal: str | None = None
    replacements: Mapping[str, str] = field(default_factory=dict)


async def plan_setup(app: App, wanted: Wanted, *, prune: bool) -> PlannedSetup:
    """Compare a setup with the portal, and keep the plan for `apply_plan`."""
    setup, left_out = await _find_setup(app, wanted)
    keeper = _find_export(app, wanted.setup) or _keeper(app, wanted.file)
    workspace = app.workspace(keeper)
    with lock(keeper):
        await workspace.resume()
    named = app.setting_values.named
    stored = await to_thread.run_sync(named.known) if named and wanted.replacements else ()
    replaced = ReplacedSetup(wanted.replacements, stored).of(setup)
    planned = await workspace.plan(replaced, prune=prune)
    plan = replace(planned.plan, notes=(*left_out, *planned.plan.notes))
    obstacles = [*plan.obstacles]
    if obstacles:
        obstacles += await to_thread.run_sync(_ready_replacements, app, setup, replaced, wanted)
    if len(plan.deletions) > MOST_DELETIONS:
        instead = "refused: plan fewer" if app.setting_values.own_only else "for the user: bi-mcp apply"
        obstacles.append(
            f"It deletes or replaces {len(plan.deletions)} objects. More than {MOST_DELETIONS} at once are {instead}."
        )
    token = None
    if plan.changes and not obstacles:
        token = secrets.token_urlsafe(12)
        app.remember(token, SeenPlan(app.portal.title, planned, keeper))
    return await to_thread.run_sync(_answer, plan, token, obstacles, _label(app))


def _ready_replacements(app: App, setup: Setup, replaced: Setup, wanted: Wanted) -> list[str]:
    """The whole argument for the next call, where stored secrets could take the place of references that are of no use."""
    proposed = propose_replacements(setup, replaced, app.setting_values)
    if not proposed:
        return []
    whole = json.dumps({**wanted.replacements, **proposed}, ensure_ascii=False)
    return [f"If these are meant, call again with replacements = {whole}."]


def _label(app: App) -> str:
    """The portal's name for a plan, unless the answer's notice says it."""
    title = app.portal.title
    return "" if title in (app.portal.notice or "") else title


def _answer(plan: Plan, token: str | None, obstacles: list[str], portal: str) -> PlannedSetup:
    # The headline has the obstacles already.
    rest = replace(plan, obstacles=())
    return PlannedSetup(
        summary=plan.summary(),
        token=token,
        changes=[change.as_json() for change in plan.changes],
        notes=list(plan.notes),
        obstacles=obstacles,
        plan=render_plan(rest, portal),
    )


async def apply_plan(app: App, token: str, seen: SeenPlan) -> Applied:
    """Carry out a plan, once."""
    app.forget(token)
    planned = seen.planned
    workspace = app.workspace(seen.keeper)
    async with app.portal.addresses_settled:
        with lock(seen.keeper):
            application = await workspace.prepare(
                planned.setup, planned.plan.checksum, prune=planned.prune, progress=_before_checking
            )
            done = await application.run()
            checked = await workspace.verify(done, planned.setup, prune=planned.prune)
            return Applied(**checked.as_json())


async def _before_checking(done: float, total: float | None, text: str) -> None:
    """Report a step of an application; one more follows, which looks at what came of them."""
    await report(done, None if total is None else total + 1, text)


async def _find_setup(app: App, wanted: Wanted) -> tuple[Setup, Sequence[str]]:
    """The setup, and sentences about what an export had to leave out."""
    given = [wanted.setup, wanted.file, wanted.from_portal]
    if sum(each is not None for each in given) != 1:
        raise InvalidRequestError(
            say("workspace_plan takes either setup (the text), file or from_portal. Pass one of them.")
        )
    if wanted.from_portal is not None:
        return await _copy_setup(app, wanted.from_portal)
    if wanted.setup is not None:
        return await _parse_setup(wanted.setup, "setup"), ()
    file = wanted.file or ""
    return await _parse_setup(await to_thread.run_sync(_read, app, file, limiter=_READERS), file), ()


async def _copy_setup(app: App, name: str) -> tuple[Setup, Sequence[str]]:
    """Export the setup of another portal. Values that may be secret become references and never cross."""
    others = [each for each, portal in app.portals.items() if portal is not app.portal]
    if app.setting_values.own_only:
        raise InvalidRequestError(
            say(
                "from_portal: whoever signs in to this server works with one portal. Pass the text of the other portal's setup as setup."
            )
        )
    if name not in others:
        raise InvalidRequestError(
            say(
                "from_portal: {name} is not another portal of this server. It has: {portals}. To add one, the user logs in with `bi-mcp login`.",
                name=quote(name),
                portals=", ".join(app.portals),
            )
            if not others
            else say(
                "from_portal: {name} is not another portal of this server. Choose from: {portals}.",
                name=quote(name),
                portals=", ".join(others),
            )
        )
    with app.choosing(name):
        exported = await app.workspace(_keeper(app, None)).export(shown_settings=app.shown_settings)
    return exported.setup, exported.left_out


async def _parse_setup(text: str, name: str) -> Setup:
    """Parse a setup beside the event loop, with the bounds of a server: others wait for their answers."""
    return await to_thread.run_sync(read_setup, text, name, OF_A_SERVER, limiter=_READERS)


def _keeper(app: App, file: str | None) -> StateKeeper:
    return keeper_at(_inside(app, file) if file else None, app.portal.identity)


def _find_export(app: App, setup: str | None) -> StateKeeper | None:
    """Return the state of the setup that was exported as this text. Its keys mean the same objects, even where titles were changed in it."""
    marked = re.match(rf"{MARK}(\S+)", setup or "")
    keeper = app.exports.get(marked[1]) if marked else None
    # Planned for another portal, its ids would mean other objects there.
    return keeper if keeper is not None and keeper.read().portal == app.portal.identity.address else None


def _read(app: App, file: str) -> str:
    return read_setup_text(_inside(app, file), file, OF_A_SERVER)


def _inside(app: App, file: str) -> Path:
    """A model names the file: it must be a setup, and lie in the folder that the user opened."""
    folder = app.workspace_folder
    if app.setting_values.own_only:
        raise InvalidRequestError(
            say("file: many people use this server, and it reads no files for them. Pass the text as setup.")
        )
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
