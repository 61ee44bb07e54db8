"""Answers to browsers: in the reader's language, and in words where something fails."""

from __future__ import annotations

import logging
from functools import wraps
from typing import TYPE_CHECKING, cast

from bi_mcp.base.language import LANGUAGES, say, speaking, spoken
from bi_mcp.errors import AuthorisationError, BiMcpError
from bi_mcp.server.http.sign_in.forms import FormError, TooLargeError
from bi_mcp.server.http.sign_in.html import build_problem

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from starlette.requests import Request
    from starlette.responses import Response

    from bi_mcp.base.language import Language

    Handler = Callable[[Request], Awaitable[Response]]

logger = logging.getLogger(__name__)


def for_people(handler: Handler) -> Handler:
    """Answer in the language of the browser. An error becomes a page that says what to do, with its text and no more."""

    @wraps(handler)
    async def answer(request: Request) -> Response:
        with speaking(language_of(request.headers.get("accept-language", ""))):
            try:
                return await handler(request)
            except TooLargeError:
                return build_problem(
                    say("The browser sent more than any page of this server asks for."), status=413
                )
            except FormError:
                return build_problem(
                    say("The browser sent something that is not a form of this server."), status=400
                )
            except BiMcpError as error:
                logger.warning("a page failed: %s", _code_of(error))
                return build_problem(text_of(error), status=503)

    return answer


def text_of(error: BiMcpError) -> str:
    """The text of an error without advice: that is worded for assistants."""
    return str(error.args[0])


def language_of(accepted: str) -> Language:
    """Choose the language that the browser prefers of those there are, the server's own where it prefers neither."""
    weights: dict[str, float] = {}
    for part in accepted[:500].lower().split(","):
        tag, _, quality = part.strip().partition(";q=")
        language = tag.partition("-")[0]
        if language in LANGUAGES:
            weights[language] = max(_weight(quality), weights.get(language, 0.0))
    # max() keeps the first of equals, as browsers name the preferred one first.
    best = max(weights, key=lambda language: weights[language], default=None)
    return cast("Language", best) if best and weights[best] > 0 else spoken()


def _weight(quality: str) -> float:
    try:
        return float(quality or 1)
    except ValueError:
        return 0.0


def _code_of(error: BiMcpError) -> str:
    return error.code if isinstance(error, AuthorisationError) else type(error).__name__
