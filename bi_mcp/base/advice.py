"""Advice that goes with an error or a finding: a kind and its facts.

What raises an error knows what should happen next, not by which tool or command. A door has words of its own for the kinds;
without a door the words are those of a library, and name methods of the API.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from enum import Enum, unique
from typing import NamedTuple

from bi_mcp.base.language import say, text


# fmt: off
@unique
class AdviceKind(Enum):
    """Kinds of advice, each with its words in a library."""

    SEE_LIST = text("biconnector.{group}.list shows what this application can see.")
    DELETE_DEPENDENTS = text("Find them with biconnector.{group}.list (filter {filter}) and delete them first.")
    LOOK_FOR_COPY = text("Look with biconnector.{group}.list before you send it again: a second call may make a second {group}.")
    LOOK_IF_GONE = text("Look with biconnector.{group}.list whether it is gone before you send it again.")
    LOOK_FIRST = text("Look with biconnector.{group}.get before you send it again.")
    LOOK_AT_COMMANDS = text("Look at what each of its commands changes before you send it again.")
    CHANGE_COLUMNS = text("Columns are changed with biconnector.dataset.fields.update.")
    LOOK_AT_COLUMNS = text("Do not send the change again: look with biconnector.dataset.get first.")
    UNLOCK = text("To change something, use a client without this lock.")
    USE_NEW_ADDRESS = text("If the portal was renamed, use https://{new}.")
    LOG_IN = text("Log in to the portal.")
    LOG_IN_AGAIN = text("Delete it and log in again.")
    CONNECT_AGAIN = text("Sign in to the server again.")
    LOG_IN_AS_APPLICATION = text("Use the access token of an application.")
    LOG_OUT_FIRST = text("Choose another name, or log out of {name} first.")
    CHOOSE_PROFILE = text("Choose one, or make one the default.")
    STORE_SECRET = text("It can be stored under a name.")
    STORE_UNDER_NAME = text("Store it under the name {name}, then try again.")
    STORE_VALUES = text("Store what is secret: {commands}.")
    STORE_COMMAND = text("{name} for {hosts}")
    STORE_IN_FILE = text("Store it again, in a file.")
    STORE_ALL_AGAIN = text("Delete it and store the secrets again.")
    SEE_SECRETS = text("Name one of those that are stored.")
    ALLOW_HOSTS = text("Bind {name} to this address as well, if you trust it.")
    FORGET_FORMER = text("If the former values are no longer valid anywhere, forget them ({names}).")
    SET_VARIABLE = text("Set it where the program runs.")
    USE_VARIABLE = text("A variable of the environment is accepted: put the value into one such as {variable}.")
    USE_FILE = text("A file in the folder for secrets is accepted as well.")
    ADOPT = text("That is written {assignment}.")
    SEE_HISTORY = text("Choose one of those that the history holds.")
    PRUNE = text("A plan that prunes deletes them.")
    SEE_ROWS = text("Ask for their rows.")
    ALLOW_DELETIONS = text("If they are meant, allow {deletions}.")
    SKIP_CHECK = text("Repair the connector, or apply without the check if Bitrix24 reaches it from elsewhere.")
    CHECK_ENDPOINT = text("Repair the endpoint first.")
    PROPOSE_DATASET = text("Probably the code leads to another table now. Correct that in the external system, or make a new dataset and move the charts.")
    ADD_WANTED = text("Add those that are wanted.")
    DIAGNOSE_DATASET = text("A diagnosis of dataset {id} names the cause.")
    ADD_COLUMNS = text("Look which columns the dataset has, and add those that are missing: {columns}.")
    REPLACE_CODE = text("A column's code is set once: delete the column, then add it again under its name. {warning}")
    REPLACE_TYPE = text("If {type} is right, delete the column, then add it again as {type}. {warning}")
    LOOK_AT_RENAMED = text("Nothing here can prove it: the old values are gone. Ask the connector's operator. If it is the same column, delete the column {id} and add it again with the code {code!r} under its name.")
    DIAGNOSE_PORTAL = text("A diagnosis of the portal calls them and checks every dataset.")
# fmt: on


Words = Mapping[AdviceKind, str]

_NO_FACTS: Mapping[str, object] = {}
_words: ContextVar[Words] = ContextVar("words", default={})  # noqa: B039  a mapping that nobody changes
_facts: ContextVar[Mapping[str, object]] = ContextVar("facts of the door", default=_NO_FACTS)


class Advice(NamedTuple):
    """A kind of advice with its facts. `str()` words it for whoever reads it here."""

    kind: AdviceKind
    facts: Mapping[str, object]

    def __str__(self) -> str:
        return say(_words.get().get(self.kind, self.kind.value), **{**_facts.get(), **self.facts})


def advise(kind: AdviceKind, /, **facts: object) -> Advice:
    """Make an advice of these facts."""
    return Advice(kind, facts)


@contextmanager
def use_words(words: Words, /, **facts: object) -> Iterator[None]:
    """Word each advice within as a door does. `facts` are the door's own, for its words."""
    tokens = _words.set(words), _facts.set(facts)
    try:
        yield
    finally:
        _words.reset(tokens[0])
        _facts.reset(tokens[1])
