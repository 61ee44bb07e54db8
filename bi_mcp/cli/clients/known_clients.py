"""The assistants that `bi-mcp install` knows: where each keeps its servers, and how an entry looks there. Pure; no files are touched."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from bi_mcp.base.language import say, text
from bi_mcp.errors import ConfigError

SERVER = "bi-mcp"
# On the package index `bi-mcp` is another project, so what fetches a package has to name ours.
DISTRIBUTION = "bitrix24-bi-mcp"
# What would overrule a profile; where a profile is wanted they go, and with them a token in plain text.
PORTAL_VARIABLES = ("BI_MCP_PORTAL_URL", "BI_MCP_ACCESS_TOKEN", "BI_MCP_WEBHOOK")
# Where `uvx` and `pipx run` keep what they run for once.
_SHORT_LIVED = frozenset({".cache", "Caches", "Cache", "cache", "archive-v0", "environments-v2"})

# Arguments that `launch` and the command write.
_PLAIN = frozenset({SERVER, DISTRIBUTION, "bi_mcp", "run", "serve"})


@dataclass(frozen=True, kw_only=True)
class Folders:
    """The folders of a user's files: home, settings of programs, and the open project."""

    home: Path
    settings: Path
    project: Path


@dataclass(frozen=True, kw_only=True)
class Client:
    """One assistant. `servers` is the member of its file that holds them; `variable` how it writes a variable of its own
    environment, empty where it has no way to; `shared` a file that goes to other people's machines; `then` what its user does next;
    `add` and `remove` the client's own commands, empty where it has none.
    """

    title: str
    path: Callable[[Folders], Path]
    servers: str
    variable: str
    typed: bool
    shared: bool = False
    then: str
    add: Callable[[Mapping[str, object]], Sequence[str]] = lambda _: ()
    remove: Sequence[str] = ()


# Files and spellings are from each client's documentation; Claude Desktop's says nothing of Linux, where its builds follow the same rule.
CLIENTS: Mapping[str, Client] = {
    "claude-code": Client(
        title="Claude Code",
        path=lambda folders: folders.project / ".mcp.json",
        servers="mcpServers",
        # With a default: it refuses a whole file over a variable that another person has not set.
        variable="${{{name}:-}}",
        typed=True,
        shared=True,
        then=text("Start `claude` in this folder and approve the server."),
        add=lambda entry: ("claude", "mcp", "add-json", "--scope", "project", SERVER, json.dumps(entry)),
        remove=("claude", "mcp", "remove", "--scope", "project", SERVER),
    ),
    "cursor": Client(
        title="Cursor",
        path=lambda folders: folders.home / ".cursor" / "mcp.json",
        servers="mcpServers",
        variable="${{env:{name}}}",
        typed=False,
        then=text("Switch it on in the settings of Cursor, under MCP."),
    ),
    "vscode": Client(
        title="VS Code",
        path=lambda folders: folders.settings / "Code" / "User" / "mcp.json",
        servers="servers",
        variable="${{env:{name}}}",
        typed=True,
        then=text("Run `MCP: List Servers` in VS Code and start it."),
        # It has a command to add a server, and none to remove one.
        add=lambda entry: ("code", "--add-mcp", json.dumps({"name": SERVER, **entry})),
    ),
    "claude-desktop": Client(
        title="Claude Desktop",
        path=lambda folders: folders.settings / "Claude" / "claude_desktop_config.json",
        servers="mcpServers",
        variable="",
        typed=False,
        then=text("Quit Claude Desktop and start it again."),
    ),
}


def launch(client: Client, script: Path, python: Path, found: Callable[[str], str | None]) -> list[str]:
    """The command with which a client starts this installation: its full path, since clients have a PATH of their own.

    An installation for one run is fetched again instead; a shared file gets the plain name where any shell finds it by that.
    Raises `ConfigError` where nothing could start it again.
    """
    short_lived = not _SHORT_LIVED.isdisjoint(python.parts)
    if not short_lived and client.shared and _is_found_by_name(script, found(SERVER)):
        return [SERVER]
    if not short_lived:
        return [str(script)] if script.exists() else [str(python), "-m", "bi_mcp"]
    for runner, arguments in (("uvx", [DISTRIBUTION]), ("pipx", ["run", DISTRIBUTION])):
        if path := found(runner):
            return [runner if client.shared else path, *arguments]
    raise ConfigError(
        say(
            "This bi-mcp is installed for one run only, so a client could not start it. Install it first: `uv tool install bitrix24-bi-mcp` or `pipx install bitrix24-bi-mcp`."
        )
    )


def _is_found_by_name(script: Path, on_path: str | None) -> bool:
    """Return whether the plain name starts this installation everywhere. The folder of an environment is searched only while it is active;
    a link to it, as uv and pipx make, stays.
    """
    if on_path is None or Path(on_path).resolve() != script.resolve():
        return False
    environment = (script.parent.parent / "pyvenv.cfg").exists()
    return not environment or Path(on_path).parent.resolve() != script.parent.resolve()


def build_entry(client: Client, command: Sequence[str], variables: Mapping[str, str]) -> dict[str, object]:
    """Build the entry of a client's file. `variables` hold no secret: references, and the folder of the profiles."""
    entry: dict[str, object] = {"type": "stdio"} if client.typed else {}
    entry |= {"command": command[0], "args": list(command[1:])}
    return entry | ({"env": dict(variables)} if variables else {})


def references(client: Client, names: Sequence[str]) -> dict[str, str]:
    """Variables of the client's environment, by name. Raises `ConfigError` for a value, and where a client cannot refer."""
    for name in names:
        if not name.isidentifier():
            raise ConfigError(
                say(
                    "--env takes the name of a variable, without a value: a value in the file could be read by others."
                )
            )
    if names and not client.variable:
        raise ConfigError(
            say(
                "{title} does not pass variables on to servers. Run `bi-mcp login` and use --profile, or set them for the whole session.",
                title=client.title,
            )
        )
    return {name: client.variable.format(name=name) for name in names}


def merge(old: object, new: Mapping[str, object], profile: str | None) -> dict[str, object]:
    """The new entry, with what the user had added to the old one."""
    if not isinstance(old, dict) or "command" not in old:
        return dict(new)
    env = _members(old.get("env"))
    if profile:
        env = {name: value for name, value in env.items() if name not in PORTAL_VARIABLES}
    env |= _members(new.get("env"))
    entry = {name: value for name, value in {**old, **new}.items() if name != "env"}
    return entry | ({"env": env} if env else {})


def mask_entry(entry: object, references: Sequence[str] = ()) -> object:
    """Mask an entry for people: values that may be secrets are dots, `references` are shown. None if it is not an entry."""
    if not isinstance(entry, Mapping):
        return None
    return {name: _mask_member(name, value, references) for name, value in entry.items()}


def _members(value: object) -> dict[str, object]:
    return dict(value) if isinstance(value, Mapping) else {}


def _mask_member(name: str, value: object, references: Sequence[str]) -> object:
    if name in {"type", "command"}:
        return value
    if name == "args" and isinstance(value, list):
        words = [str(argument) for argument in value]
        return [_mask_argument(before, word) for before, word in zip(["", *words], words, strict=False)]
    if name == "env" and isinstance(value, Mapping):
        return {each: text if text in references else "…" for each, text in value.items()}
    return "…"


def _mask_argument(before: str, argument: str) -> str:
    """Mask an argument unless it is the name of an option or one of our own words; other words that a person wrote may be a token."""
    if argument.startswith("-"):
        return argument.partition("=")[0]
    return argument if argument in _PLAIN or before == "--profile" else "…"
