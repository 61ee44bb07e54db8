"""The file of `--portals`: TOML, one table `[[portals]]` for each portal that people may sign in to.

    [[portals]]
    url = "https://acme.bitrix24.com"
    title = "Acme"
    client_id = "local.…"
    client_secret = {file = "/run/secrets/acme"}
    departments = [5]

The application's secret is not written into it but referred to, as `{file = "…"}` or `{env = "…"}`.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict, PositiveInt, ValidationError, model_validator

from bi_mcp.app.sign_in.portals import SignInPortal, read_address, require_distinct, require_usable
from bi_mcp.base.language import say
from bi_mcp.config import secret_file, secret_variable
from bi_mcp.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bi_mcp.base.secret import Secret


class _Model(BaseModel):
    # What was written may be a secret in the wrong place: errors do not repeat it.
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True, strict=True)


class _Reference(_Model):
    env: str | None = None
    file: str | None = None

    @model_validator(mode="after")
    def _one(self) -> _Reference:
        if (self.env is None) == (self.file is None):
            raise ValueError("not one of the two")
        return self


class _Portal(_Model):
    url: str
    client_id: str
    client_secret: _Reference
    title: str = ""
    users: list[PositiveInt] = []
    departments: list[PositiveInt] = []


class _Document(_Model):
    portals: list[_Portal]


@dataclass(frozen=True)
class _Place:
    """The place of a portal in the file, for errors."""

    file: Path
    number: int

    def __str__(self) -> str:
        return f"{self.file}, portals[{self.number}]"


def load_portals(file: Path) -> tuple[SignInPortal, ...]:
    """Read the portals and their applications' secrets. Raises `ConfigError`, which names the place and never a value."""
    try:
        document = _Document.model_validate(tomllib.loads(file.read_text(encoding="utf-8")))
    except OSError as error:
        raise ConfigError(
            say(
                "{file} cannot be read ({reason}). Name the file with --portals.",
                file=file,
                reason=error.strerror,
            )
        ) from None
    except UnicodeDecodeError:
        raise ConfigError(say("{file} is not UTF-8 text. Save it as UTF-8.", file=file)) from None
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(
            say("{file} is not TOML: {error}. Correct the file.", file=file, error=error)
        ) from None
    except ValidationError as error:
        raise ConfigError(_word(file, error)) from None
    if not document.portals:
        raise ConfigError(say("{file} has no portal. Add a table [[portals]].", file=file))
    portals = [_build(portal, _Place(file, number)) for number, portal in enumerate(document.portals)]
    require_distinct(portals)
    return tuple(portals)


def _build(portal: _Portal, place: _Place) -> SignInPortal:
    built = SignInPortal(
        url=read_address(portal.url),
        client_id=portal.client_id,
        client_secret=_read(portal.client_secret, place),
        title=portal.title,
        users=frozenset(portal.users),
        departments=frozenset(portal.departments),
    )
    require_usable(built)
    return built


def _read(reference: _Reference, place: _Place) -> Secret:
    if reference.file is not None:
        return secret_file(f"{place}: client_secret.file", place.file.parent / reference.file)
    assert reference.env is not None  # noqa: S101  the model takes one of the two
    secret = secret_variable(reference.env)
    if secret is None:
        raise ConfigError(
            say(
                "{place}: set the variable {name}, which client_secret refers to.",
                place=place,
                name=reference.env,
            )
        )
    return secret


def _word(file: Path, error: ValidationError) -> str:
    problems = [
        f"{_path(problem['loc'])}: {_tell(problem['type'], problem['loc'])}"
        for problem in error.errors(include_input=False, include_url=False)
    ]
    return say("Correct {file}: {problems}.", file=file, problems="; ".join(problems))


def _path(place: Sequence[int | str]) -> str:
    """`portals[0].client_secret`."""
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in place).lstrip(".")


def _tell(kind: str, place: Sequence[int | str]) -> str:
    """Say what belongs there, in the words of a person who writes the file."""
    if kind == "missing":
        return say("is missing")
    if kind == "extra_forbidden":
        return say("is not known here")
    if "client_secret" in place:
        return say('takes one of {{file = "…"}} and {{env = "…"}}, never the secret itself')
    if {"users", "departments"} & set(place):
        return say("takes ids, such as [1, 12]")
    if place == ("portals",):
        return say("takes tables [[portals]]")
    return say("takes a text in quotes")
