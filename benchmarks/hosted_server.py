"""`bi-mcp serve --http` as it is, but for the limiter: a portal in one's own house has no limits. Started as a script."""

from __future__ import annotations

import os
import sys

from bi_mcp.base.secret import Secret
from bi_mcp.config import http_settings, read_settings
from bi_mcp.rest import AccessToken, BIConnector
from bi_mcp.rest.gather import GatheringTransport
from bi_mcp.rest.request import build_stack
from bi_mcp.rest.transport import HttpTransport
from bi_mcp.server.build import build_server
from bi_mcp.server.http.options import HttpOptions
from bi_mcp.server.http.serving import serve_http


def connect() -> BIConnector:
    """As the composition root does, without the transport that waits."""
    token = AccessToken(Secret(os.environ["BI_MCP_ACCESS_TOKEN"]))
    http = HttpTransport(os.environ["BI_MCP_PORTAL_URL"], token)
    return BIConnector(build_stack(http, [GatheringTransport]))


if __name__ == "__main__":
    serve_http(
        lambda _shared, _sign_ins: build_server(read_settings(), connect=connect),
        HttpOptions(port=0, settings=http_settings()),
        announce=lambda address: print(address, file=sys.stderr, flush=True),
    )
