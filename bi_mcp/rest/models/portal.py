"""Models of a portal's answers about the caller. These methods spell their keys in capitals."""

from __future__ import annotations

from typing import Annotated

from pydantic import BeforeValidator, Field

from bi_mcp.rest.models.wire import Received, WireBool, WireInt, WireText, parse_list


def _parse_departments(value: object) -> object:
    """Read a list of ids, which PHP answers as `false` or null where it is empty."""
    return parse_list(value) or ()


class PortalUser(Received):
    """The user for whom the credential acts."""

    id: WireInt = Field(alias="ID")
    admin: WireBool = Field(default=False, alias="ADMIN")
    name: WireText | None = Field(default=None, alias="NAME")
    last_name: WireText | None = Field(default=None, alias="LAST_NAME")


class PortalColleague(Received):
    """A user in the company's structure. A guest from outside of it has no departments."""

    id: WireInt = Field(alias="ID")
    departments: Annotated[tuple[WireInt, ...], BeforeValidator(_parse_departments)] = Field(
        default=(), alias="UF_DEPARTMENT"
    )


class PortalApplication(Received):
    """The application that calls. `status`: L local, F free, P paid, T trial, D demo, S subscription."""

    code: WireText | None = Field(default=None, alias="CODE")
    status: WireText | None = Field(default=None, alias="STATUS")
    installed: WireBool = Field(default=True, alias="INSTALLED")
    payment_expired: WireBool = Field(default=False, alias="PAYMENT_EXPIRED")
    license: WireText | None = Field(default=None, alias="LICENSE")
