"""The system's keyring: the search for one, and calls into it that may wait for a person."""

from __future__ import annotations

from dataclasses import dataclass, field
from threading import Event, Thread
from typing import TYPE_CHECKING, Any, Generic, Literal, TypeVar, cast

from bi_mcp.base.language import say, text
from bi_mcp.errors import BiMcpError, ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable

    from keyring.backend import KeyringBackend

    Refusal = Callable[[str], BiMcpError]

Answer = TypeVar("Answer")

Keeper = Literal["keyring", "file"]
KEEPERS: tuple[Keeper, ...] = ("keyring", "file")

# Long enough for a person to type the password that a keyring asks for.
PATIENCE_S = 30.0

KEEP_IN_FILE = text("Or keep the value in a private file: add `--keep-in file`.")


@dataclass
class _Question(Generic[Answer]):
    """A call into a keyring, in a thread that may wait for a prompt for ever and does not keep the process alive."""

    ask: Callable[[], Answer]
    over: Event = field(default_factory=Event)
    answered: bool = False
    answer: Answer | None = None
    error: BaseException | None = None

    def run(self) -> None:
        try:
            self.answer = self.ask()
        except BaseException as error:  # noqa: BLE001  backends raise what their system raises, panics and exits too
            self.error = error
        self.answered = True
        self.over.set()


@dataclass
class _Waiting:
    """Questions of this process that are under way, and those that are no longer waited for."""

    asked: list[_Question[Any]] = field(default_factory=list)
    left: list[_Question[Any]] = field(default_factory=list)
    ended: bool = False


_waiting = _Waiting()


def unusable_keyring(reason: str, remedy: str = KEEP_IN_FILE) -> ConfigError:
    """Say why the system's keyring cannot be chosen, and what to do."""
    return ConfigError(
        say(
            "The system keyring cannot be used ({reason}). Unlock or repair it, or choose another one with PYTHON_KEYRING_BACKEND. {remedy}",
            reason=reason,
            remedy=say(remedy),
        )
    )


def system_keyring(refusal: Refusal = unusable_keyring) -> KeyringBackend | None:
    """Return the system's keyring, None if there is none that keeps anything. Blocks and raises like `ask_keyring`."""
    return ask_keyring(_choose_backend, refusal)


def _choose_backend() -> KeyringBackend | None:
    # Imported here: most servers keep tokens in a file or know where, and start-up time counts. A backend may hang
    # while it is loaded or judged, so all of this belongs to the thread that can be given up.
    import keyring
    from keyring.backends import fail, null

    backend = keyring.get_keyring()
    keeps = backend.priority > 0 and not isinstance(backend, fail.Keyring | null.Keyring)
    return backend if keeps else None


def best_keeper() -> Keeper:
    """Choose the store of a new login when the user does not: the keyring if there is one. Blocks like `ask_keyring`."""
    return "keyring" if system_keyring() is not None else "file"


def ask_for_text(ask: Callable[[], object], refusal: Refusal) -> str | None:
    """Ask the keyring for a text, or None if it has nothing. Blocks like `ask_keyring`."""
    answer = ask_keyring(ask, refusal)
    if answer is None or isinstance(answer, str):
        return answer
    raise refusal(say("it answered with something that is not text"))


def ask_keyring(ask: Callable[[], Answer], refusal: Refusal, *, patience: float | None = None) -> Answer:
    """Call a keyring, and wait for a limited time while it prompts its user.

    `refusal` makes an error of the reason: the name of the keyring's exception, or that it still waits. While it waits,
    later calls are refused at once: its prompt is open already. Blocks, so the event loop calls it in a thread.
    """
    patience = PATIENCE_S if patience is None else patience
    _waiting.left = [question for question in _waiting.left if not question.answered]
    if _waiting.left or _waiting.ended:
        raise refusal(say("it still waits for an answer to its prompt"))
    question = _Question(ask)
    _waiting.asked.append(question)
    Thread(target=question.run, name="keyring", daemon=True).start()
    try:
        question.over.wait(patience)
    finally:
        _waiting.asked.remove(question)
    if not question.answered:
        _waiting.left.append(question)
        raise refusal(
            say("it has waited for an answer to its prompt for {patience:.0f} s", patience=patience)
        )
    if question.error is not None:
        # Its text may hold the entry.
        raise refusal(type(question.error).__name__) from None
    return cast("Answer", question.answer)


def stop_asking() -> None:
    """End every wait for a keyring, now and later, so that the process can end."""
    _waiting.ended = True
    for question in list(_waiting.asked):
        question.over.set()
