"""A page on this machine for a browser on this machine: the answer to one HTTP request, never cached and never framed."""

from __future__ import annotations

from html import escape

from bi_mcp.base.language import spoken

HOST = "127.0.0.1"
LONGEST_HEAD = 32_768

_REASONS = {
    200: "OK",
    400: "Bad Request",
    403: "Forbidden",
    404: "Not Found",
    405: "Method Not Allowed",
    413: "Content Too Large",
}
_STYLE = (
    "body{margin:0;min-height:100vh;display:grid;place-items:center;background:#eef2f4;color:#333b44;"
    "font:16px/1.5 system-ui,sans-serif}main{max-width:30rem;margin:2rem;padding:2rem;background:#fff;border-radius:.75rem}"
    "input,button{font:inherit;padding:.5rem .75rem;width:100%;box-sizing:border-box;margin:.5rem 0}"
    "dt{color:#6a737f}dd{margin:0 0 .5rem;overflow-wrap:anywhere}"
)


def answer_page(status: int, title: str, content: str, *, referrer: str = "no-referrer") -> bytes:
    """Build a whole HTTP answer. `content` is HTML; text from outside must be escaped in it.

    A form may be sent to this machine's page only. For a browser to say whose form it was, `referrer` must be `same-origin`.
    """
    body = (
        f'<!doctype html><html lang="{spoken()}"><head><meta charset="utf-8"><title>bi-mcp</title><style>{_STYLE}</style></head>'
        f"<body><main><h1>{escape(title)}</h1>{content}</main></body></html>"
    ).encode()
    head = (
        f"HTTP/1.1 {status} {_REASONS[status]}\r\nContent-Type: text/html; charset=utf-8\r\nContent-Length: {len(body)}\r\n"
        f"Cache-Control: no-store\r\nReferrer-Policy: {referrer}\r\nX-Content-Type-Options: nosniff\r\n"
        "Content-Security-Policy: default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; base-uri 'none'; "
        "frame-ancestors 'none'\r\nCross-Origin-Opener-Policy: same-origin\r\nConnection: close\r\n\r\n"
    )
    return head.encode() + body
