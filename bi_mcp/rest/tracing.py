"""An OpenTelemetry span for each request to a portal, below the span that the MCP SDK opens for a tool. Nothing without an SDK.

A span names the method, the portal's host, the number of commands of a batch and the error's code; parameters never.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from opentelemetry.trace import SpanKind, StatusCode, get_tracer

from bi_mcp.errors import BiMcpError, PortalError
from bi_mcp.rest.methods import BATCH

if TYPE_CHECKING:
    from bi_mcp.rest.request import Request

TRACER = "bi-mcp"

logger = logging.getLogger(__name__)


@contextmanager
def rest_span(request: Request, host: str) -> Iterator[None]:
    """Open the span of one request. An error passes unchanged; its text, which may quote the portal, stays out of the span."""
    method = request.method
    attributes: dict[str, str | int] = {
        "rpc.method": method.name,
        "server.address": host,
        "bitrix24.effect": method.effect.value,
    }
    if method.name == BATCH.name:
        attributes["bitrix24.batch.commands"] = len(request.commands)
    tracer = get_tracer(TRACER)
    with tracer.start_as_current_span(
        method.name,
        kind=SpanKind.CLIENT,
        attributes=attributes,
        record_exception=False,
        set_status_on_exception=False,
    ) as span:
        try:
            yield
        except BiMcpError as error:
            code = (error.code if isinstance(error, PortalError) else "") or type(error).__name__
            span.set_attribute("error.type", code)
            span.set_status(StatusCode.ERROR)
            logger.debug("%s failed: %s", method.name, code)
            raise
        logger.debug("%s done", method.name)
