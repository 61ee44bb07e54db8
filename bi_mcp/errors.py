"""Every error that bi-mcp raises on purpose.

    BiMcpError
    ├── ConfigError              a setting of bi-mcp itself is wrong
    ├── SetupFileError           a setup file cannot be read; every problem with its place
    ├── StateFileError           the state file beside a setup is damaged, or belongs to another portal
    ├── PlanError                a setup cannot be planned or applied as things are; nothing was sent
    ├── SecretReferenceError     a secret reference or literal was refused before anything was sent
    ├── InvalidRequestError      the arguments break a rule of the API; nothing was sent
    ├── ConfirmationError        a destructive act was not confirmed; nothing was sent
    ├── SkippedError             a command of a batch that was not run, since one before it failed
    ├── AuthorisationError       logging in, or renewing what a login gave, was refused
    ├── UnreachableError         no answer: the portal could not be reached, or the connection broke
    ├── UnexpectedAnswerError    an answer that is not the REST API's: HTML, broken JSON, a wrong shape, HTTP 500
    ├── InterruptedWriteError    a write broke off, and a look at the portal did not show it done
    ├── EndpointError            an endpoint of a connector gave no answer that Bitrix24 could use
    └── PortalError              the portal answered with an error of its own
        ├── AuthenticationError  the credential is missing, expired or unknown
        ├── AccessDeniedError    rights, application context, scope or plan
        ├── NotFoundError        no such object, or it belongs to another application
        ├── InUseError           something still depends on the object
        ├── AlreadyExistsError   the name or code is taken
        ├── ConnectionCheckError the connector's `urlCheck` did not answer as it must
        ├── NotSynchronisedError the columns are saved, BI Builder did not follow
        ├── LimitError           too many requests, or a method used up its run time
        ├── MethodMissingError   this portal does not know the method
        └── RefusedError         every other rule of the API

A text says what happened and where; what to do next stands in it, or is advice that each door words for its reader. None holds a
URL with a credential, a token or a traceback.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from bi_mcp.base.language import say
from bi_mcp.base.secret import redact

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Self

    from bi_mcp.base.advice import Advice
    from bi_mcp.base.secret import Secret

# A portal's message is cut after so many.
MESSAGE_CHARACTERS = 500


class BiMcpError(Exception):
    """Base of all errors raised on purpose. `str()` is fit for a person or a model to read, in the words of the door it is called at."""

    def __init__(self, text: str, *advice: Advice) -> None:
        super().__init__(text, *advice)
        self.advice = advice

    def __str__(self) -> str:
        return " ".join(map(str, self.args))


class ConfigError(BiMcpError):
    """A setting is wrong; the text names the variable or option and what it accepts."""


class SetupFileError(BiMcpError):
    """A setup file was refused. Each line of the text is `FILE:LINE:COLUMN: fault`."""


class StateFileError(BiMcpError):
    """A state file was refused; the text says how to live without it."""


class PlanError(BiMcpError):
    """A setup and a portal do not fit together, or a plan no longer holds. Nothing was sent to the portal."""


class SecretReferenceError(BiMcpError):
    """A value for a source's setting was refused: a bad reference, or a literal for a secret."""


class InvalidRequestError(BiMcpError):
    """The arguments break a documented rule. Nothing was sent to the portal."""


class ConfirmationError(BiMcpError):
    """A destructive act was declined, or its confirmation does not hold. Nothing was sent to the portal."""


class SkippedError(BiMcpError):
    """A command of a batch was not run, because one before it failed. Nothing happened."""


class AuthorisationError(BiMcpError):
    """A token could not be obtained. `code` is OAuth's own, or one of `bi_mcp.auth`; the text says what to do about it."""

    def __init__(self, text: str, *advice: Advice, code: str) -> None:
        super().__init__(text, *advice)
        self.code = code


class UnreachableError(BiMcpError):
    """The portal did not answer. `may_have_happened`: the request may have taken effect; `lasting`: the next one will fail too."""

    def __init__(self, text: str, *, method: str, may_have_happened: bool, lasting: bool = False) -> None:
        super().__init__(text)
        self.method = method
        self.may_have_happened = may_have_happened
        self.lasting = lasting


class UnexpectedAnswerError(BiMcpError):
    """Something answered, but not the REST API. `status` is the HTTP status."""

    def __init__(self, text: str, *advice: Advice, method: str, status: int) -> None:
        super().__init__(text, *advice)
        self.method = method
        self.status = status


class InterruptedWriteError(BiMcpError):
    """A write broke off, and the look at the portal that followed did not show it done.

    `outcome`: "not_done" (so far: the portal may still be working), "partly", or "unknown".
    """

    def __init__(self, text: str, *, method: str, outcome: Literal["not_done", "partly", "unknown"]) -> None:
        super().__init__(text)
        self.method = method
        self.outcome = outcome


EndpointReason = Literal[
    "bad_address",  # not an http or https address, or one with a user, a port 0, a broken host
    "refused_address",  # it leads into a private network
    "bad_request",  # the parameters cannot be written as a form
    "unresolved",  # no such host
    "unreachable",  # nothing listens there, or the connection broke
    "tls",  # the certificate or the protocol
    "timeout",
    "redirect",
    "loop",  # a redirect to the same address
    "denied",  # 401 or 403
    "not_found",  # 404
    "too_often",  # 429
    "status",  # anything but 200
    "empty",  # 200 without a body, from `urlCheck`
    "encoding",  # compressed in a way that was not requested
    "too_large",
    "not_json",
]


class EndpointError(BiMcpError):
    """One endpoint of a connector failed. `status` is its HTTP status if it answered; `seconds` until then.

    `said` is the beginning of what the service answered about it, empty where that is not a text. Neither it nor the error's
    own text holds a value of the connection. `dataset` is the one whose rows were asked for.
    """

    def __init__(self, text: str, *, reason: EndpointReason, status: int | None = None) -> None:
        super().__init__(text)
        self.reason: EndpointReason = reason
        self.status = status
        self.seconds = 0.0
        self.said = ""
        self.dataset: int | None = None


class PortalError(BiMcpError):
    """The portal refused. `code` and `message` are its own; `hint` says what the code means; `status` is the HTTP status.

    `code` is empty where the vendor has none for the refusal.

    `retry_at` is the unix time at which a method that used up its run time gets some of it back, `portal_time` the portal's
    clock when it said so, `retry_after` the seconds that the answer's `Retry-After` asks to wait.
    """

    def __init__(self, *advice: Advice, method: str, code: str, message: str, hint: str, status: int) -> None:
        super().__init__(_portal_text(method, code, message, hint), *advice)
        self.method = method
        self.code = code
        self.message = message
        self.hint = hint
        self.status = status
        self.retry_at: float | None = None
        self.portal_time: float | None = None
        self.retry_after: float | None = None

    def without(self, secrets: Sequence[Secret]) -> Self:
        """Return the error with the given secrets masked, should the portal have echoed one."""
        # A message may repeat the caller's own text: its end is compared only where it was cut.
        cut = len(self.message) >= MESSAGE_CHARACTERS
        return self.with_words(
            *self.advice,
            method=self.method,
            code=redact(self.code, secrets, cut=False),
            message=redact(self.message, secrets, cut=cut),
            hint=self.hint,
        )

    def with_words(self, *advice: Advice, method: str, code: str, message: str, hint: str) -> Self:
        """Return the same refusal in other words. Its status and what it says about time stay."""
        copy = type(self)(*advice, method=method, code=code, message=message, hint=hint, status=self.status)
        copy.retry_at = self.retry_at
        copy.portal_time = self.portal_time
        copy.retry_after = self.retry_after
        return copy


class AuthenticationError(PortalError):
    """The portal does not accept the credential."""


class AccessDeniedError(PortalError):
    """Rights, application context, scope or plan forbid the call."""


class NotFoundError(PortalError):
    """The object does not exist, or another application created it: the API answers both alike."""


class InUseError(PortalError):
    """Something still depends on the object."""


class AlreadyExistsError(PortalError):
    """A name or code is taken."""


class ConnectionCheckError(PortalError):
    """The portal called the connector's `urlCheck` and was not satisfied."""


class NotSynchronisedError(PortalError):
    """The change is saved; only the synchronisation with BI Builder failed. Do not send it again."""


class LimitError(PortalError):
    """A limit of the portal. Nothing happened."""


class MethodMissingError(PortalError):
    """This portal does not know the method."""


class RefusedError(PortalError):
    """Another documented rule was broken."""


def _portal_text(method: str, code: str, message: str, hint: str) -> str:
    said = ": ".join(dict.fromkeys(part for part in (code, message) if part)) or say("It does not say why")
    return say("{method} refused. {said}. {hint}", method=method, said=said.rstrip("."), hint=hint).rstrip()
