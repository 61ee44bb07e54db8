"""Connector: four HTTP endpoints of an external system and the names of its authorisation parameters."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import Field, StrictBool, StrictInt

from bi_mcp.rest.models.portal_object import PortalObject
from bi_mcp.rest.models.wire import (
    Received,
    Sent,
    WireBool,
    WireIntOrNone,
    WireList,
    WireMoment,
    WireText,
)

Title = Annotated[str, Field(min_length=1, max_length=512)]
EndpointUrl = Annotated[str, Field(min_length=1, max_length=2048)]
ParameterType = Literal["STRING", "INT"]

# The fields that hold the addresses of the four endpoints.
ADDRESSES = ("url_check", "url_table_list", "url_table_description", "url_data")

# A table in grey, for a connector without a logo of its own: portals demand one.
NEUTRAL_LOGO = (
    "data:image/svg+xml;base64,PHN2ZyB4bWxucz0iaHR0cDovL3d3dy53My5vcmcvMjAwMC9zdmciIHZpZXdCb3g9IjAgMCAyNCAyNCI+PHBhdGggZm"
    "lsbD0iIzdhODc5NCIgZD0iTTMgNGgxOHYxNkgzem0yIDV2OWg1Vjl6bTcgMHY5aDdWOXoiLz48L3N2Zz4="
)

_NEWER_DEFAULTS: Mapping[str, object] = {"supportMapping": False, "sourceCode": ""}


class Parameter(Sent):
    """An authorisation parameter that sources of the connector fill in (`settings` of the API)."""

    code: Annotated[str, Field(min_length=1, max_length=512)]
    name: Annotated[str, Field(min_length=1, max_length=512)]
    type: ParameterType


class ConnectorFields(Sent):
    """Fields of `connector.add`. `support_mapping` and `source_code` exist on newer portals only."""

    title: Title
    logo: Annotated[
        str, Field(min_length=1, description="Image URL or data: URI", default_factory=lambda: NEUTRAL_LOGO)
    ]
    url_check: Annotated[EndpointUrl, Field(description="Checks the credentials")]
    url_table_list: Annotated[EndpointUrl, Field(description="Lists the tables")]
    url_table_description: Annotated[EndpointUrl, Field(description="Lists a table's columns")]
    url_data: Annotated[EndpointUrl, Field(description="Gives the rows")]
    settings: Annotated[list[Parameter], Field(description="Filled in by each source")]
    description: str | None = None
    sort: StrictInt | None = None
    support_mapping: Annotated[StrictBool | None, Field(description="Newer portals only")] = None
    source_code: Annotated[str | None, Field(max_length=64, description="Newer portals only")] = None

    def to_wire(self) -> dict[str, Any]:
        """Return the parameters, without a default that every portal assumes and that older portals refuse."""
        return {
            name: value for name, value in super().to_wire().items() if _NEWER_DEFAULTS.get(name) != value
        }


class ConnectorChanges(Sent):
    """Fields of `connector.update`, which changes only those that are passed."""

    title: Title | None = None
    logo: Annotated[str, Field(min_length=1)] | None = None
    url_check: EndpointUrl | None = None
    url_table_list: EndpointUrl | None = None
    url_table_description: EndpointUrl | None = None
    url_data: EndpointUrl | None = None
    settings: list[Parameter] | None = None
    description: str | None = None
    sort: StrictInt | None = None
    support_mapping: StrictBool | None = None
    source_code: Annotated[str | None, Field(max_length=64)] = None


class ReceivedParameter(Received):
    """A parameter as a portal answers it."""

    code: WireText
    name: WireText | None = None
    type: WireText | None = None


class Connector(PortalObject):
    """A connector as a portal answers it. Moments are `Y-m-d H:i:s` in the portal's time zone."""

    title: WireText | None = None
    logo: WireText | None = None
    description: WireText | None = None
    sort: WireIntOrNone = None
    url_check: WireText | None = None
    url_table_list: WireText | None = None
    url_table_description: WireText | None = None
    url_data: WireText | None = None
    settings: WireList[ReceivedParameter] | None = None
    support_mapping: WireBool | None = None
    source_code: WireText | None = None
    date_create: WireMoment = None

    @property
    def label(self) -> str:
        """The title."""
        return self.title or ""

    def documented(self) -> dict[str, Any]:
        """Return what the API documents."""
        settings = [{"code": each.code, "name": each.name, "type": each.type} for each in self.settings or ()]
        return {**super().documented(), "settings": settings}
