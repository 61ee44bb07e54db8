"""How a connector serves: its bounds, and what it says about itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

# Who may read `/metrics`. `local`: callers that reach the connector from its own machine without a proxy between.
MetricsReaders: TypeAlias = Literal["local", "anyone", "off"]


@dataclass(frozen=True, kw_only=True)
class ServiceSettings:
    """Settings of a service.

    `answers` bounds the answers of `/data` at once, and so it does the other requests; what comes beyond is refused at
    once. `answer_seconds` bounds an answer with its transfer, and `part_seconds` the time in which a part of it must be
    taken, so that a slow reader does not hold a query for ever. What cannot be cancelled, all but the rows themselves, is waited for `question_seconds`. A request may hold `body_bytes`, all that run `bodies_bytes`. The page for a person has `title` and `note`,
    and names the addresses below `public_url` if it is known.
    """

    answers: int = 16
    answer_seconds: float = 900.0
    part_seconds: float = 60.0
    question_seconds: float = 60.0
    body_bytes: int = 4_000_000
    bodies_bytes: int = 64_000_000
    metrics: MetricsReaders = "local"
    title: str = "Connector"
    note: str = ""
    public_url: str | None = None
