"""The report of a connector's check: facts and findings, collected while its endpoints are called."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pydantic import BaseModel, ConfigDict

from bi_mcp.base.language import say
from bi_mcp.base.secret import Secret
from bi_mcp.diagnostics.connector.rate import Rate
from bi_mcp.diagnostics.findings import check_rules as rules
from bi_mcp.diagnostics.findings.endpoint_rules import (
    BREACHES,
    ENDPOINTS,
    FAILURES,
    cause_of,
    consequence,
    quote_answer,
)
from bi_mcp.diagnostics.findings.finding import Finding, Level
from bi_mcp.diagnostics.findings.folding import fold_causes, fold_repeated, over_places
from bi_mcp.diagnostics.tables.steadiness import Tally
from bi_mcp.endpoints.answers import Breach, EndpointAnswer
from bi_mcp.endpoints.wording import safe_text
from bi_mcp.errors import EndpointError


class EndpointFacts(BaseModel):
    """The answer of one endpoint: HTTP status, seconds, bytes read (uncompressed), TLS version, and its content in
    short.

    `calls` is how often it was called altogether, `rate` how often of a number of equal calls it answered rightly, `failure` the codes of what was wrong; the
    other figures are of the first call.
    """

    model_config = ConfigDict(defer_build=True, frozen=True)

    endpoint: str
    reached: bool
    status: int | None = None
    seconds: float | None = None
    size: int | None = None
    tls: str | None = None
    held: str | None = None
    calls: int | None = None
    rate: str | None = None
    failure: str | None = None


class ConnectorReport(BaseModel):
    """The result of a connector's check. `table` is the one whose columns and rows were read; `seconds` the duration of the whole check."""

    verdict: Level
    table: str | None
    seconds: float
    endpoints: list[EndpointFacts]
    findings: list[Finding]


class Notebook:
    """Facts and findings by endpoint. Texts from outside are quoted without the connection's values."""

    def __init__(self, connection: Mapping[str, Secret]) -> None:
        self.facts: dict[str, EndpointFacts] = {}
        self._connection = connection
        self._findings: list[Finding] = []
        self._tallies: dict[str, Tally] = {}
        self._not_public: dict[str, str] = {}
        self._clear_text: dict[str, None] = {}
        self._compressed: set[str] = set()
        self._counted: set[str] = set()
        # Whether the portal is in a private network itself.
        self.portal_is_local = False

    @property
    def has_private_addresses(self) -> bool:
        """True once an answer came from an address that is not public."""
        return bool(self._not_public)

    def findings(self) -> list[Finding]:
        """The findings in the order of the endpoints, then of the checks."""
        found = [*self._findings, *self._about_steadiness(), *self._about_addresses()]
        in_order = sorted(found, key=lambda finding: [*ENDPOINTS, finding.where].index(finding.where))
        return fold_repeated(fold_causes(in_order, _tell_once))

    def keep_answer(self, endpoint: str, answer: EndpointAnswer) -> None:
        """Keep the facts of an endpoint's first answer."""
        if endpoint not in self.facts or self.facts[endpoint].size is None:
            self.facts[endpoint] = EndpointFacts(
                endpoint=endpoint,
                reached=True,
                status=answer.status,
                seconds=round(answer.seconds, 3),
                size=answer.size,
                tls=answer.tls,
            )
        if answer.compressed and endpoint not in self._compressed:
            self._compressed.add(endpoint)
            self.add(rules.COMPRESSED.finding(endpoint))
        if answer.not_public:
            self._not_public[endpoint] = answer.not_public
        elif answer.scheme == "http" and not answer.in_process:
            self._clear_text[endpoint] = None

    def keep_failure(self, endpoint: str, error: EndpointError) -> None:
        """Keep the facts of a failure, unless the endpoint answered another call."""
        self.facts.setdefault(
            endpoint,
            EndpointFacts(
                endpoint=endpoint,
                reached=error.status is not None,
                status=error.status,
                seconds=round(error.seconds, 3),
            ),
        )
        self._keep_code(endpoint, error.reason)

    def _keep_code(self, endpoint: str, code: str) -> None:
        self.facts[endpoint] = self.facts[endpoint].model_copy(update={"failure": code})

    def keep_rate(self, endpoint: str, rate: Rate) -> None:
        """Keep how often an endpoint answered equal calls."""
        self.tally(endpoint).calls += rate.asked
        facts = self.facts.setdefault(endpoint, EndpointFacts(endpoint=endpoint, reached=False))
        self.facts[endpoint] = facts.model_copy(update={"rate": str(rate)})
        if rate.failures:
            self._keep_code(endpoint, ", ".join(kind for kind, _ in rate.failures.most_common()))
        if finding := rate.finding(endpoint):
            self._counted.add(endpoint)
            self.add(finding)

    def hold(self, endpoint: str, held: str) -> None:
        self.facts[endpoint] = self.facts[endpoint].model_copy(update={"held": held})

    def fail(self, endpoint: str, error: EndpointError, when: str = "") -> None:
        prefix = f"{when}: " if when else ""
        said = f"{prefix}{quote_answer(error)} {consequence(endpoint)}"
        cause = "" if when else cause_of(error)
        self.add(FAILURES[error.reason].finding(endpoint, said=said.strip(), cause=cause))

    def tally(self, endpoint: str) -> Tally:
        """The calls of an endpoint so far."""
        return self._tallies.setdefault(endpoint, Tally())

    def breaches(self, endpoint: str, breaches: Sequence[Breach]) -> None:
        """One finding for each rule, with all the places where it is broken."""
        for rule in dict.fromkeys(breach.rule for breach in breaches):
            places = ", ".join(
                dict.fromkeys(
                    f"{breach.where} ({safe_text(breach.detail, self._connection)})"
                    if breach.detail
                    else breach.where
                    for breach in breaches
                    if breach.rule == rule
                )
            )
            kind = BREACHES[rule]
            self.add(kind.finding(endpoint, said=f"{say(kind.what)}: {places}. {say(kind.means)}"))

    def breaches_once(self, endpoint: str, breaches: Sequence[Breach]) -> None:
        """Add breaches like `breaches`, but only of rules that have no finding yet."""
        reported = {finding.code for finding in self._findings if finding.where == endpoint}
        self.breaches(endpoint, [breach for breach in breaches if BREACHES[breach.rule].code not in reported])

    def add(self, finding: Finding) -> None:
        self._findings.append(finding)

    def quote(self, text: str) -> str:
        return f"'{safe_text(text, self._connection)}'"

    def _about_steadiness(self) -> list[Finding]:
        return [
            rules.ANSWERS_BY_TURNS.finding(
                endpoint, error=tally.first, failed=tally.failed, asked=tally.calls
            )
            for endpoint, tally in self._tallies.items()
            if tally.failed and endpoint not in self._counted
        ]

    def _about_addresses(self) -> list[Finding]:
        found = []
        # A portal in the same network calls them as well.
        if self._not_public and not self.portal_is_local:
            kinds = ", ".join(dict.fromkeys(self._not_public.values()))
            endpoints = ", ".join(self._not_public)
            found.append(rules.NOT_PUBLIC.finding("address", endpoints=endpoints, kinds=kinds))
        if self._clear_text:
            found.append(rules.CLEAR_TEXT.finding("address", endpoints=", ".join(self._clear_text)))
        return found


def _tell_once(failures: Sequence[Finding]) -> Finding:
    """One cause of several endpoints' failures, with what follows from each."""
    follows = [consequence(finding.where) for finding in failures[1:]]
    said = " ".join(dict.fromkeys([failures[0].what, *follows]))
    return over_places(failures).model_copy(update={"what": said})
