"""The values of a source's settings as a model or a file writes them -> secrets.

A value is chosen by a model that may have been misled, and is about to be sent to an address. So a secret is named, not
written: `{"secret": "name"}` for one that the user stored, which goes to no host but those it is bound to;
`{"env": "BI_MCP_SECRET_…"}`; or `{"file": "name"}` inside the one folder that the user configured.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict

from bi_mcp.base.advice import AdviceKind, advise
from bi_mcp.base.language import say
from bi_mcp.base.secret import Secret
from bi_mcp.errors import InvalidRequestError, SecretReferenceError
from bi_mcp.rest.models.wire import refuse_bool
from bi_mcp.vault.destinations import find_destinations
from bi_mcp.vault.secret_files import read_secret_file
from bi_mcp.vault.secret_index import advise_store, is_name
from bi_mcp.vault.secret_parameters import is_shown, looks_secret

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence
    from pathlib import Path
    from typing import Self

    from bi_mcp.base.advice import Advice
    from bi_mcp.rest.models import Parameter, ReceivedParameter
    from bi_mcp.vault.named_secrets import NamedSecrets

ENV_PREFIX = "BI_MCP_SECRET_"


class _Reference(BaseModel):
    """Base of references. Its errors do not repeat values: someone may have written the secret itself there."""

    model_config = ConfigDict(defer_build=True, extra="forbid", hide_input_in_errors=True)


class EnvReference(_Reference):
    """A variable of the server's environment."""

    env: str


class FileReference(_Reference):
    """A file in the folder for secrets."""

    file: str


class SecretReference(_Reference):
    """A secret that the user stored under a name."""

    secret: str


Reference = EnvReference | FileReference | SecretReference
SettingValue = str | Annotated[int, BeforeValidator(refuse_bool)] | Reference


@dataclass(frozen=True)
class SettingValues:
    """Resolver of values and references. Raises `SecretReferenceError` or `InvalidRequestError`, without the values.

    `shown` are the codes whose values the user chose to show; `variables` returns the values of all variables with a prefix.
    `own_only`: the values are those of one of many people, and nobody gives them variables or files.
    """

    variable: Callable[[str], Secret | None]
    folder: Path | None
    allow_literal_secrets: bool
    named: NamedSecrets | None = None
    shown: frozenset[str] = frozenset()
    variables: Callable[[str], Sequence[Secret]] = lambda _: ()
    own_only: bool = False

    @classmethod
    def of_person(cls, named: NamedSecrets | None, shown: frozenset[str] = frozenset()) -> Self:
        """Resolve for a person who signed in: with their own stored secrets, and with nothing of the server's operator."""
        return cls(
            variable=lambda _: None,
            folder=None,
            allow_literal_secrets=False,
            named=named,
            shown=shown,
            own_only=True,
        )

    def resolve(
        self,
        settings: Mapping[str, SettingValue],
        parameters: Sequence[Parameter | ReceivedParameter],
        addresses: Collection[str] = (),
    ) -> dict[str, Secret]:
        """Turn `{code: value}` into secrets for a connector with the given parameters.

        `addresses` are all that the values will be sent to: a stored secret is given out only when it is bound to each of
        their hosts, and so to none without an address. May wait for a keyring.
        """
        self.check_places(settings, parameters)
        names = {parameter.code: parameter.name or "" for parameter in parameters}
        return {code: self._resolve(code, names[code], value, addresses) for code, value in settings.items()}

    def check_places(
        self, settings: Mapping[str, SettingValue], parameters: Sequence[Parameter | ReceivedParameter]
    ) -> None:
        """Raise for codes that the connector does not declare, and for a reference whose value would be shown later."""
        names = {parameter.code: parameter.name or "" for parameter in parameters}
        _check_declared(settings, names)
        for code, value in settings.items():
            referred = not isinstance(value, str | int)
            if referred and is_shown(code, names[code], self.shown):
                raise SecretReferenceError(
                    say(
                        "settings.{code}: a reference is not accepted here, because values of this parameter are shown: its code or name says that it is not a secret, or the user named it in --show-settings. Nothing was sent. Write the value as text. If it is a secret, the connector must declare it under another code and name, such as password.",
                        code=code,
                    )
                )

    def refer(self, place: str, reference: Reference, addresses: Collection[str]) -> Secret:
        """Read what a reference outside of settings refers to. Texts of errors begin with `settings.` and the place."""
        return self._resolve(place, "", reference, addresses)

    def missing(self, settings: Mapping[str, SettingValue]) -> list[str]:
        """Return the names in references under which a secret could be stored, but is not yet."""
        names = dict.fromkeys(
            value.secret
            for value in settings.values()
            if isinstance(value, SecretReference) and is_name(value.secret)
        )
        if self.named is None or not names:
            return []
        known = self.named.known()
        return [name for name in names if name not in known]

    def _resolve(self, code: str, name: str, value: SettingValue, addresses: Collection[str]) -> Secret:
        if isinstance(value, SecretReference):
            return self._from_store(code, value.secret, addresses)
        if isinstance(value, EnvReference):
            return self._from_environment(code, value.env)
        if isinstance(value, FileReference):
            return self._from_file(code, value.file)
        # An empty text is not a secret: it takes the value away.
        if looks_secret(code, name) and value != "" and not self.allow_literal_secrets:
            raise SecretReferenceError(
                say("settings.{code} looks like a secret and is not accepted as text.", code=code),
                *self._advise_store(),
                *self._advise_others(code),
            )
        return Secret(str(value))

    def _from_store(self, code: str, name: str, addresses: Collection[str]) -> Secret:
        if not is_name(name):
            # The name is not repeated: someone may have written the secret itself there.
            raise SecretReferenceError(
                say(
                    "settings.{code}: that is not the name of a stored secret. Names hold only a-z, 0-9, - and _.",
                    code=code,
                ),
                advise(AdviceKind.SEE_SECRETS),
            )
        if self.named is None and self.own_only:
            raise SecretReferenceError(
                say(
                    "settings.{code}: people cannot store secrets on this server. Nothing was sent. Ask whoever runs it to give it a folder for them.",
                    code=code,
                )
            )
        if self.named is None:
            raise SecretReferenceError(
                say(
                    "settings.{code}: this server has no configuration folder to store secrets in. Use a {env_prefix} variable.",
                    code=code,
                    env_prefix=ENV_PREFIX,
                )
            )
        hosts = find_destinations(addresses, f"settings.{code}")
        secret = self.named.known().get(name)
        if secret is None:
            raise SecretReferenceError(
                say(
                    "settings.{code}: no secret is stored under the name {name}. Nothing was sent.",
                    code=code,
                    name=name,
                ),
                advise_store(AdviceKind.STORE_UNDER_NAME, name, hosts),
            )
        strange = [host for host in hosts if not secret.may_go_to(host)]
        if strange:
            raise SecretReferenceError(
                say(
                    "settings.{code}: the secret {name} is bound to {hosts} and would be sent to {strange}. Nothing was sent.",
                    code=code,
                    name=name,
                    hosts=", ".join(secret.hosts),
                    strange=", ".join(strange),
                ),
                secret.advise_binding(*strange),
            )
        return self.named.value(secret)

    def _from_environment(self, code: str, variable: str) -> Secret:
        if self.named is not None and is_name(variable) and variable in self.named.known():
            raise SecretReferenceError(
                say(
                    "settings.{code}: {name} is a stored secret, not a variable. Name it as a secret.",
                    code=code,
                    name=variable,
                )
            )
        if self.own_only:
            raise SecretReferenceError(
                say(
                    "settings.{code}: the variables of this server belong to its operator, and nobody who signs in can refer to them. Nothing was sent.",
                    code=code,
                ),
                *self._advise_store(),
            )
        if not variable.startswith(ENV_PREFIX):
            # The name is not repeated: someone may have written the secret itself there.
            raise SecretReferenceError(
                say(
                    "settings.{code}: only variables whose name begins with {env_prefix} can be referred to. Rename the variable in the server's environment.",
                    code=code,
                    env_prefix=ENV_PREFIX,
                )
            )
        value = self.variable(variable)
        if not value:
            raise SecretReferenceError(
                say(
                    "settings.{code}: the variable {variable} is not set where bi-mcp runs.",
                    code=code,
                    variable=variable,
                ),
                advise(AdviceKind.SET_VARIABLE),
                *self._advise_store(),
            )
        return value

    def _from_file(self, code: str, name: str) -> Secret:
        if self.own_only:
            raise SecretReferenceError(
                say(
                    "settings.{code}: the files of this server belong to its operator, and nobody who signs in can refer to them. Nothing was sent.",
                    code=code,
                ),
                *self._advise_store(),
            )
        if self.folder is None:
            raise SecretReferenceError(
                say(
                    "settings.{code}: no folder for secrets is configured. Set BI_MCP_SECRETS_DIR, or use a {env_prefix} variable.",
                    code=code,
                    env_prefix=ENV_PREFIX,
                )
            )
        return read_secret_file(code, self.folder, name)

    def _advise_others(self, code: str) -> list[Advice]:
        if self.own_only:
            return []
        variable = advise(AdviceKind.USE_VARIABLE, variable=f"{ENV_PREFIX}{_variable_name(code)}")
        return [variable, advise(AdviceKind.USE_FILE)] if self.folder else [variable]

    def _advise_store(self) -> list[Advice]:
        return [] if self.named is None else [advise(AdviceKind.STORE_SECRET)]


def _variable_name(code: str) -> str:
    return re.sub(r"[^A-Z0-9]+", "_", code.upper()).strip("_") or "VALUE"


def _check_declared(settings: Mapping[str, SettingValue], names: Mapping[str, str]) -> None:
    unknown = [code for code in settings if code not in names]
    if unknown:
        declared = ", ".join(names) or "none"
        raise InvalidRequestError(
            say(
                "settings: the connector declares no {unknown}, and the portal would drop it silently. Declared: {declared}. Use these, or add the other to the connector first.",
                unknown=", ".join(unknown),
                declared=declared,
            )
        )
