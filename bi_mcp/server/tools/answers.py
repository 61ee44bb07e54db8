"""Answers of the tools. Text and structured content say the same, because hosts differ in which of the two they pass on."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Annotated, Any, ClassVar, Generic, Self, TypeVar

from pydantic import BaseModel, ConfigDict, Field, WithJsonSchema
from pydantic.alias_generators import to_camel

from bi_mcp.base.secret import hide_logins
from bi_mcp.diagnostics.tables.suspicious_texts import ForeignText
from bi_mcp.rest.models import Connector, FieldDescription, Source, SourceSetting
from bi_mcp.rest.models.connector import ADDRESSES
from bi_mcp.server.tools.answer_size import compact, fit
from bi_mcp.vault.known_values import NOTHING_KNOWN, KnownValues

Item = TypeVar("Item", bound=BaseModel)

# A logo is often a whole picture as data: URI; a model needs to know that it is there, not its bytes.
LONGEST_LOGO = 200


def _items_by_reference(schema: dict[str, Any]) -> None:
    schema["items"] = {"type": "object", "required": ["id"], "properties": {"id": {"type": "integer"}}}
    schema["description"] = "As in get"


def address(group: str, id: int) -> str:
    """The address of the resource that shows an object. Tables are datasets by their newer name."""
    return f"bi://{'dataset' if group == 'table' else group}/{id}"


class Answer(BaseModel):
    """Base of all answers. `notice` holds a warning that the reader needs with every result.

    Where `cut_lists` names lists, an answer that is too long is cut, and `advice_if_cut` says how to get the rest.
    """

    model_config = ConfigDict(
        alias_generator=to_camel, validate_by_name=True, validate_by_alias=True, frozen=True, defer_build=True
    )

    cut_lists: ClassVar[tuple[str, ...]] = ()
    advice_if_cut: ClassVar[str] = ""

    notice: str | None = None

    def headline(self) -> str:
        """One sentence for the text."""
        raise NotImplementedError

    def links(self, group: str) -> list[str]:  # noqa: ARG002  those that are about an object of the tool's group read it
        """Addresses of the objects that the answer is about and that can be read now."""
        return []

    def changed_objects(self, group: str) -> list[str]:  # noqa: ARG002  as in `links`
        """Addresses of the objects that the call has created, changed or deleted."""
        return []

    def foreign_texts(self) -> Iterable[ForeignText]:
        """The texts from outside in the answer, in which somebody may have put more than data."""
        return ()

    def structured_content(self) -> dict[str, Any]:
        """The structured content: only fields that have a value, and no more than a reader can take."""
        content = self.model_dump(mode="json", by_alias=True, exclude_none=True)
        return fit(content, self.cut_lists, self.advice_if_cut) if self.cut_lists else content

    def json_text(self) -> str:
        """The structured content as compact JSON."""
        return compact(self.structured_content())

    def text(self, tool: str) -> str:
        """The headline and everything that the structured content holds."""
        return f"{tool}: {self.headline()}\n{self.json_text()}"

    def text_with(self, tool: str, body: str) -> str:
        """The headline and the notice above a body that is read faster than JSON."""
        return "\n".join(part for part in (f"{tool}: {self.headline()}", self.notice, body) if part)

    def with_notice(self, notice: str | None) -> Self:
        """Add what the reader must know about every answer of this server."""
        parts = [part for part in (self.notice, notice) if part]
        return self.model_copy(update={"notice": " ".join(parts) or None})


class Preview(BaseModel):
    """The effect of a call, and the token that confirms it. Nothing was done yet."""

    model_config = ConfigDict(alias_generator=to_camel, defer_build=True, validate_by_name=True, frozen=True)

    text: str
    confirm: str
    valid_for_s: int


# Its parts explain themselves; spelled out, they would cost tokens five times in every chat.
PreviewField = Annotated[Preview | None, WithJsonSchema({"type": "object"})]

NOT_YET = (
    "nothing was changed yet. Show the person preview.text; only if they agree, call again with the same arguments and "
    "confirm = preview.confirm."
)


class Created(Answer):
    """The id of a new object."""

    id: int

    def headline(self) -> str:
        return f"created with id {self.id}."

    def links(self, group: str) -> list[str]:
        return [address(group, self.id)]

    def changed_objects(self, group: str) -> list[str]:
        return self.links(group)


class Updated(Answer):
    """An object was changed."""

    id: int
    updated: bool = True

    def headline(self) -> str:
        return f"{self.id} is updated."

    def links(self, group: str) -> list[str]:
        return [address(group, self.id)]

    def changed_objects(self, group: str) -> list[str]:
        return [address(group, self.id)] if self.updated else []


class UpdatedOrPreview(Updated):
    """An object was changed, or would be once the call is confirmed."""

    preview: PreviewField = None

    @classmethod
    def not_yet(cls, id: int, preview: Preview) -> Self:
        """The answer of a call that waits for its confirmation."""
        return cls(id=id, updated=False, preview=preview)

    def headline(self) -> str:
        return NOT_YET if self.preview else super().headline()


class Deleted(Answer):
    """An object is gone, or would be once the call is confirmed."""

    id: int
    deleted: bool = True
    preview: PreviewField = None

    @classmethod
    def not_yet(cls, id: int, preview: Preview) -> Self:
        """The answer of a call that waits for its confirmation."""
        return cls(id=id, deleted=False, preview=preview)

    def headline(self) -> str:
        return NOT_YET if self.preview else f"{self.id} is deleted."

    def links(self, group: str) -> list[str]:
        return [] if self.deleted else [address(group, self.id)]

    def changed_objects(self, group: str) -> list[str]:
        return [address(group, self.id)] if self.deleted else []


class Found(Answer, Generic[Item]):
    """One object."""

    cut_lists = ("item.fields", "item.settings")
    advice_if_cut = "Columns come by page; what else is cut, the portal shows."

    item: Item

    def headline(self) -> str:
        return describe(self.item)

    def foreign_texts(self) -> Iterable[ForeignText]:
        return texts_of(self.item)

    def links(self, group: str) -> list[str]:
        id = getattr(self.item, "id", None)
        return [address(group, id)] if id else []


class Listed(Answer, Generic[Item]):
    """One page of objects. `more` says whether a further page may exist: the API gives no totals."""

    cut_lists = ("items",)
    advice_if_cut = "Ask for fewer fields with select, for fewer objects with filter, or read one with get."

    # Which fields an item has depends on `select`, so the schema promises the id and points to the full description.
    items: Annotated[list[Item], Field(json_schema_extra=_items_by_reference)]
    page: int
    more: bool

    def headline(self) -> str:
        rest = f"more may follow: ask for page {self.page + 1}" if self.more else "no more pages"
        return f"{len(self.items)} on page {self.page}, {rest}."

    def foreign_texts(self) -> Iterable[ForeignText]:
        return (found for item in self.items for found in texts_of(item))


class Fields(Answer):
    """The fields of a group as the portal knows them."""

    fields: list[FieldDescription]

    def headline(self) -> str:
        required = ", ".join(field.title for field in self.fields if field.required_on_creation)
        return f"{len(self.fields)} fields; required on creation: {required or 'none'}."


class SettingView(BaseModel):
    """A source's setting without its value, unless the user chose to show that code."""

    code: str
    name: str | None = None
    type: str | None = None
    set: bool
    value: str | None = None


class SourceView(BaseModel):
    """A source that can be shown."""

    model_config = ConfigDict(alias_generator=to_camel, defer_build=True, validate_by_name=True)

    id: int
    title: str | None = None
    type: str | None = None
    code: str | None = None
    description: str | None = None
    active: bool | None = None
    connector_id: int | None = None
    settings: list[SettingView] | None = None
    date_create: str | None = None
    date_update: str | None = None
    created_by_id: int | None = None
    updated_by_id: int | None = None


def describe(item: BaseModel) -> str:
    """`Connector 5 "Sales".`"""
    kind = type(item).__name__.removesuffix("View")
    name = getattr(item, "title", None) or getattr(item, "name", None)
    label = f"{kind} {getattr(item, 'id', '')}"
    # On one line: text after a line break would look like a sentence of ours.
    return f'{label} "{" ".join(name.split())}".' if name else f"{label}."


def texts_of(item: BaseModel) -> Iterator[ForeignText]:
    """What people wrote about an object of a portal."""
    kind = type(item).__name__.removesuffix("View").lower()
    for name in ("title", "name", "description"):
        if isinstance(written := getattr(item, name, None), str):
            yield ForeignText(f"{kind} {getattr(item, 'id', '')}, {name}", written)


def view_connector(connector: Connector) -> Connector:
    """Cut a logo that is a whole picture, and mask logins in addresses."""
    masked = {
        name: hide_logins(value)
        for name in ("logo", *ADDRESSES)
        if (value := getattr(connector, name)) is not None
    }
    logo = masked.get("logo", "")
    if len(logo) > LONGEST_LOGO:
        masked["logo"] = f"{logo[:40]}… ({len(logo)} characters)"
    return connector.model_copy(update=masked)


def view_source(
    source: Source, shown_settings: frozenset[str], known: KnownValues = NOTHING_KNOWN
) -> SourceView:
    """Replace every value of a setting by whether it is set, except the codes that the user chose to show.

    A value that is `known` to come from a reference is not shown under any code.
    """
    settings = source.settings
    return SourceView(
        **source.model_dump(include=_SHOWN_AS_IS, exclude_none=True),
        settings=None
        if settings is None
        else [_view_setting(setting, shown_settings, known) for setting in settings],
    )


_SHOWN_AS_IS = set(SourceView.model_fields) - {"settings"}


def _view_setting(setting: SourceSetting, shown_settings: frozenset[str], known: KnownValues) -> SettingView:
    visible = setting.code in shown_settings and not known.may_hold(setting.value)
    return SettingView(
        code=setting.code,
        name=setting.name,
        type=setting.type,
        set=bool(setting.value),
        value=setting.value.reveal() if visible else None,
    )
