"""The four endpoints, by the field of a connector that names each."""

from __future__ import annotations

from collections.abc import Mapping

ENDPOINTS: Mapping[str, str] = {
    "urlCheck": "/check",
    "urlTableList": "/tables",
    "urlTableDescription": "/table",
    "urlData": "/data",
}
