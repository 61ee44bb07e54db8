"""Metrics for Prometheus, in a registry of their own."""

from __future__ import annotations

from collections.abc import Callable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from bi_mcp.connector.service.record import RequestRecord

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_BUCKETS = (0.005, 0.02, 0.1, 0.5, 1, 2, 5, 10, 20, 30, 60, 120, 300)


class Metrics:
    """Counts of requests, and of what they were answered."""

    def __init__(self, running: Callable[[], int]) -> None:
        self._registry = CollectorRegistry()
        self._requests = Counter(
            "bi_connector_requests",
            "Requests by endpoint and status; 499: the caller went.",
            ("endpoint", "status"),
            registry=self._registry,
        )
        self._broken = Counter(
            "bi_connector_broken_answers", "Answers that broke off in the middle.", registry=self._registry
        )
        self._rows = Counter(
            "bi_connector_rows", "Rows that were answered.", ("source",), registry=self._registry
        )
        self._bytes = Counter(
            "bi_connector_bytes", "Bytes of bodies that were answered.", registry=self._registry
        )
        self._seconds = Histogram(
            "bi_connector_seconds",
            "Seconds from a request to the end of its answer.",
            ("endpoint",),
            buckets=_BUCKETS,
            registry=self._registry,
        )
        self._refused = Counter(
            "bi_connector_refused",
            "Requests refused before a source was asked: 401 access, 429 too many wrong ones, 503 all answers taken.",
            ("status",),
            registry=self._registry,
        )
        gauge = Gauge("bi_connector_running_answers", "Answers that are running.", registry=self._registry)
        gauge.set_function(running)

    def count(self, record: RequestRecord) -> None:
        self._requests.labels(record.endpoint, str(record.status)).inc()
        self._seconds.labels(record.endpoint).observe(record.seconds())
        self._bytes.inc(record.bytes)
        if record.rows:
            self._rows.labels(record.source).inc(record.rows)
        if record.broken:
            self._broken.inc()
        if record.status in {401, 429, 503} and not record.source:
            self._refused.labels(str(record.status)).inc()

    def text(self) -> bytes:
        return generate_latest(self._registry)
