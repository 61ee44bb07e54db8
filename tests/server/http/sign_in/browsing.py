"""A person's browser without scripts: it keeps cookies, follows redirects, and sends the forms of pages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from html.parser import HTMLParser
from urllib.parse import parse_qs, urljoin, urlsplit

import httpx2

LIMIT_S = 60
_MOST_REDIRECTS = 10


@dataclass
class Button:
    """A button of a form: what it says, and what it sends."""

    text: str = ""
    name: str | None = None
    value: str = ""


@dataclass
class Form:
    """A form as the page shows it: `fields` are what it sends if nothing is touched, `choices` the values of radio buttons."""

    action: str
    method: str
    fields: dict[str, str] = field(default_factory=dict)
    choices: dict[str, list[str]] = field(default_factory=dict)
    buttons: list[Button] = field(default_factory=list)

    def button(self, text: str) -> Button | None:
        """The button that says so, if there is one."""
        return next((button for button in self.buttons if button.text == text), None)


@dataclass(frozen=True)
class Page:
    """Where the browser ended. `left` says that it was sent to an address that is none of the hosts it knows: the client's."""

    address: str
    status: int = 0
    text: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    left: bool = False

    @property
    def answer(self) -> dict[str, str]:
        """The parameters of the address; a repeated one fails."""
        found = parse_qs(urlsplit(self.address).query, keep_blank_values=True)
        assert all(len(values) == 1 for values in found.values()), found
        return {name: values[0] for name, values in found.items()}

    @property
    def forms(self) -> list[Form]:
        reader = _Reader(self.address)
        reader.feed(self.text)
        return reader.forms

    @property
    def words(self) -> str:
        """The text of the page, without its markup."""
        reader = _Reader(self.address)
        reader.feed(self.text)
        return " ".join("".join(reader.words).split())

    def form_with(self, button: str) -> Form:
        """The form that has a button of this text."""
        found = [form for form in self.forms if form.button(button)]
        assert found, f"No button {button!r} on {self.address} ({self.status}): {self.words}"
        return found[0]

    def says(self, button: str) -> bool:
        """Whether there is a button of this text."""
        return any(form.button(button) for form in self.forms)


class Browser:
    """A browser that knows some hosts (`host:port`); what leads elsewhere is not opened."""

    def __init__(self, hosts: Sequence[str], *, transport: httpx2.AsyncBaseTransport | None = None) -> None:
        self.hosts = set(hosts)
        self.http = httpx2.AsyncClient(
            transport=transport, timeout=LIMIT_S, trust_env=False, headers={"Accept-Language": "en"}
        )

    async def open(self, address: str) -> Page:
        """Open an address as if it were typed or clicked."""
        return await self._follow(self.http.build_request("GET", address, headers={"Accept": "text/html"}))

    async def press(self, page: Page, button: str, **fields: str) -> Page:
        """Send the form with this button; `fields` are what the person chose or wrote."""
        return await self.send(page.address, page.form_with(button), button, **fields)

    async def send(self, page: str, form: Form, button: str, **fields: str) -> Page:
        """Send a form that stands on the page of this address."""
        pressed = form.button(button)
        assert pressed is not None
        sent = {**form.fields, **fields} | ({pressed.name: pressed.value} if pressed.name else {})
        parts, target = urlsplit(page), urlsplit(form.action)
        same = parts.netloc == target.netloc
        headers = {
            "Accept": "text/html",
            "Origin": f"{parts.scheme}://{parts.netloc}",
            "Sec-Fetch-Site": "same-origin" if same else "cross-site",
        }
        if form.method == "get":
            return await self._follow(
                self.http.build_request("GET", form.action, params=sent, headers=headers)
            )
        return await self._follow(self.http.build_request("POST", form.action, data=sent, headers=headers))

    async def aclose(self) -> None:
        """Close the connections."""
        await self.http.aclose()

    async def _follow(self, request: httpx2.Request) -> Page:
        for _ in range(_MOST_REDIRECTS):
            response = await self.http.send(request)
            address = str(request.url)
            if not response.has_redirect_location:
                return Page(address, response.status_code, response.text, response.headers)
            address = urljoin(address, response.headers["location"])
            if urlsplit(address).netloc not in self.hosts:
                return Page(address, left=True)
            request = self.http.build_request("GET", address, headers={"Accept": "text/html"})
        raise AssertionError(f"{request.url} redirects without end")


class _Reader(HTMLParser):
    def __init__(self, address: str) -> None:
        super().__init__()
        self.address = address
        self.forms: list[Form] = []
        self.words: list[str] = []
        self._form: Form | None = None
        self._button: Button | None = None
        self._hidden = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        own = {name: value or "" for name, value in attrs}
        if tag in {"style", "script"}:
            self._hidden = True
        elif tag == "form":
            action = urljoin(self.address, own.get("action", ""))
            self._form = Form(action, own.get("method", "get").lower())
            self.forms.append(self._form)
        elif self._form is not None and tag == "button":
            self._button = Button(name=own.get("name"), value=own.get("value", ""))
            self._form.buttons.append(self._button)
        elif self._form is not None and tag == "input" and "name" in own:
            self._read_input(self._form, own, {name for name, _ in attrs})
        else:
            self.words.append(" ")

    def _read_input(self, form: Form, own: Mapping[str, str], given: set[str]) -> None:
        kind, name, value = own.get("type", "text"), own["name"], own.get("value", "")
        if kind == "radio":
            form.choices.setdefault(name, []).append(value)
        if kind not in {"radio", "checkbox"} or "checked" in given:
            form.fields[name] = value

    def handle_endtag(self, tag: str) -> None:
        if tag in {"style", "script"}:
            self._hidden = False
        elif tag == "form":
            self._form = None
        elif tag == "button" and self._button is not None:
            self._button.text = " ".join(self._button.text.split())
            self._button = None

    def handle_data(self, data: str) -> None:
        if self._hidden:
            return
        self.words.append(data)
        if self._button is not None:
            self._button.text += data
