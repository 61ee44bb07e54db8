"""Where the sample connector is found, and the password of its public data."""

from __future__ import annotations

from bi_mcp.connector.service.endpoints import ENDPOINTS

__all__ = ["DEMO_PASSWORD", "ENDPOINTS", "ORIGIN"]

# Not a secret: it protects public data, and every reader of the documentation knows it.
DEMO_PASSWORD = "demo-password"  # noqa: S105 - see above

# The origin under which the practice portal reaches the sample inside one process.
ORIGIN = "http://sample.localhost"
