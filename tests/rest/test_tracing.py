"""Spans of requests: what a collector is told, and what it is not."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from bi_mcp.errors import NotFoundError, UnreachableError
from bi_mcp.rest import tracing
from tests.rest.calling import a_portal, connector_fields, source_fields

pytestmark = pytest.mark.anyio


@pytest.fixture
def spans(monkeypatch: pytest.MonkeyPatch) -> Iterator[InMemorySpanExporter]:
    """What would be sent to a collector."""
    exporter = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    monkeypatch.setattr(tracing, "get_tracer", provider.get_tracer)
    yield exporter
    provider.shutdown()


def told(span: ReadableSpan) -> dict[str, object]:
    return dict(span.attributes or {})


async def test_each_request_is_a_span_and_a_batch_is_one(spans: InMemorySpanExporter) -> None:
    async with a_portal() as portal:
        await portal.bi.connectors.fields()
        await portal.bi.batch([portal.bi.connectors.commands.fields(), portal.bi.sources.commands.fields()])
    single, batch = spans.get_finished_spans()
    assert (single.name, single.kind) == ("biconnector.connector.fields", trace.SpanKind.CLIENT)
    assert told(single) == {
        "rpc.method": "biconnector.connector.fields",
        "server.address": "localhost",
        "bitrix24.effect": "read",
    }
    assert told(batch)["bitrix24.batch.commands"] == 2


async def test_errors_are_told_by_their_code_and_no_span_holds_a_value(spans: InMemorySpanExporter) -> None:
    async with a_portal() as portal:
        connector = await portal.bi.connectors.add(connector_fields())
        await portal.bi.sources.add(source_fields(connector, password="hunter2-canary"))
        with pytest.raises(NotFoundError):
            await portal.bi.datasets.get(99)
        portal.faults.arm("cut_before", times=9)
        with pytest.raises(UnreachableError):
            await portal.bi.connectors.get(connector)
    finished = spans.get_finished_spans()
    failed = [span for span in finished if span.status.status_code is trace.StatusCode.ERROR]
    assert [told(span)["error.type"] for span in failed] == ["DATASET_NOT_FOUND", "UnreachableError"]
    everything = " ".join(span.to_json() for span in finished)
    assert "hunter2-canary" not in everything
    assert "token-of-the-tests" not in everything
    assert not any(span.events for span in finished)
