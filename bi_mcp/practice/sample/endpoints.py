"""Addresses of the sample connector, and the password of its public data."""

from __future__ import annotations

# Not a secret: it protects public data, and every reader of the documentation knows it.
DEMO_PASSWORD = "demo-password"  # noqa: S105 - see above

# The origin under which the practice portal reaches the sample inside one process.
ORIGIN = "http://sample.localhost"

ENDPOINTS: dict[str, str] = {
    "urlCheck": "/check",
    "urlTableList": "/tables",
    "urlTableDescription": "/table",
    "urlData": "/data",
}
