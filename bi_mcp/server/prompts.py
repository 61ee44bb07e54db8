"""MCP prompts from Markdown files: `prompts/NAME.md` holds front matter (TOML) and the English text, `NAME.ru.md` the Russian one."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from string import Template
from typing import TYPE_CHECKING, Any, Literal

from mcp.server.mcpserver.prompts import Prompt
from mcp.server.mcpserver.prompts.base import PromptArgument

if TYPE_CHECKING:
    from collections.abc import Collection

FENCE = "+++"
DEFAULT_LANGUAGE = "en"

# Where the user stores a secret: in a terminal of the server's machine, or on a page of a server that they signed in to.
Storing = Literal["terminal", "page"]


@dataclass(frozen=True)
class PromptFile:
    """A prompt as its files say it. `texts` maps a language to a template with `$argument` placeholders.

    `needs` are the tools without which it leads nowhere; without any it is always offered. `storing` says by language how the
    user stores a secret, for the placeholder of this name.
    """

    name: str
    title: str
    description: str
    arguments: dict[str, str]
    defaults: dict[str, dict[str, str]]
    texts: dict[str, Template]
    needs: frozenset[str] = frozenset()
    storing: dict[str, dict[Storing, str]] = field(default_factory=dict)

    def render(self, unasked: str = DEFAULT_LANGUAGE, storing: Storing = "terminal", /, **given: str) -> str:
        """Fill the template of the asked language; an argument that was left out takes that language's default."""
        language = given.pop("language", unasked)
        language = language if language in self.texts else DEFAULT_LANGUAGE
        values = self.defaults[language] | {name: value for name, value in given.items() if value}
        if self.storing:
            values["storing"] = self.storing[language][storing]
        return self.texts[language].substitute(values)


def build_prompts(
    tools: Collection[str], language: str = DEFAULT_LANGUAGE, storing: Storing = "terminal"
) -> list[Prompt]:
    """Build the prompts that the server registers: those that these tools can follow. `language` is theirs unless one is asked for."""
    return [_build(file, language, storing) for file in read_prompts() if file.needs.issubset(tools)]


def languages_of(prompt: str) -> list[str]:
    """The languages in which the prompt can be asked for; none for an unknown one."""
    return [language for file in read_prompts() if file.name == prompt for language in file.texts]


def read_prompts() -> list[PromptFile]:
    """Read all prompt files, in the order of their names. They are inside the package in a wheel, beside it in a checkout."""
    packaged = Path(__file__).with_name("prompt_files")
    folder = packaged if packaged.is_dir() else Path(__file__).parents[2] / "prompts"
    return [_parse(path) for path in sorted(folder.glob("*.md")) if "." not in path.stem]


def _parse(path: Path) -> PromptFile:
    front, text = _split(path)
    translations = {
        translated.stem.removeprefix(f"{path.stem}."): _split(translated)
        for translated in sorted(path.parent.glob(f"{path.stem}.*.md"))
    }
    return PromptFile(
        name=path.stem,
        title=front["title"],
        description=front["description"],
        arguments=front["arguments"],
        defaults={DEFAULT_LANGUAGE: front["defaults"]}
        | {language: extra["defaults"] for language, (extra, _) in translations.items()},
        texts={DEFAULT_LANGUAGE: text}
        | {language: translated for language, (_, translated) in translations.items()},
        needs=frozenset(front.get("needs", ())),
        storing={
            language: extra["storing"]
            for language, extra in [
                (DEFAULT_LANGUAGE, front),
                *((key, own) for key, (own, _) in translations.items()),
            ]
            if "storing" in extra
        },
    )


def _split(path: Path) -> tuple[dict[str, Any], Template]:
    _, front, text = path.read_text(encoding="utf-8").split(f"{FENCE}\n", 2)
    return tomllib.loads(front), Template(text.strip())


def _build(file: PromptFile, language: str, storing: Storing) -> Prompt:
    languages = ", ".join(file.texts)
    arguments = {
        **file.arguments,
        "language": f"Language of the instructions: {languages}. Default {language}.",
    }
    return Prompt(
        name=file.name,
        title=file.title,
        description=file.description,
        # Optional, all of them: a missing required argument is a bare internal error in the newest protocol.
        arguments=[
            PromptArgument(name=name, description=text, required=False) for name, text in arguments.items()
        ],
        fn=partial(file.render, language, storing),
    )
