"""A connector for Bitrix24 BI over a SQLite file. Needs nothing but Python.

CONNECTOR_LOGIN=bi CONNECTOR_PASSWORD=… CONNECTOR_CULTURE=en-gb python connector.py shop.sqlite3 8000
"""

import hmac
import itertools
import json
import math
import os
import re
import sqlite3
import sys
from contextlib import closing
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl
from urllib.request import pathname2url

LARGEST_REQUEST = 4_000_000

# A part of the declared type, as SQLite itself reads it, and the type for Bitrix24. What fits none is a string.
TYPES = {"DATETIME": "datetime", "TIMESTAMP": "datetime", "DATE": "date", "INT": "int", "BOOL": "int"}
TYPES |= dict.fromkeys(["REAL", "DOUB", "FLOA", "NUM", "DEC", "MONEY"], "double")
# What is read and compared, so that every value has its column's type. JSON has no infinite numbers.
EXPRESSIONS = {
    "int": "{}",
    "double": "nullif(nullif(CAST({} AS REAL), 9e999), -9e999)",
    "date": "substr({}, 1, 10)",
    "datetime": "replace(substr({}, 1, 19), 'T', ' ')",
    "string": "CAST({} AS TEXT)",
}
# Each takes its values as one JSON list, of any length: one of them must fit.
OPERATORS = {
    ">": "{} > (SELECT min(value) FROM json_each(?))",
    ">=": "{} >= (SELECT min(value) FROM json_each(?))",
    "<": "{} < (SELECT max(value) FROM json_each(?))",
    "<=": "{} <= (SELECT max(value) FROM json_each(?))",
    "><": "{} BETWEEN json_extract(?, '$[0]') AND json_extract(?, '$[1]')",
    "%": "EXISTS (SELECT 1 FROM json_each(?) WHERE instr(fold({}), fold(value)))",
    **dict.fromkeys(["", "=", "@"], "{} IN (SELECT value FROM json_each(?))"),
}
NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)(e[+-]?[0-9]+)?", re.IGNORECASE)
KEY = re.compile(r"(!?)(><|>=|<=|[=@%<>]?)(.+)")
SLASHED = {"en": "%m/%d/%Y", "en-gb": "%d/%m/%Y"}  # the two ways to read 01/02/2025
CLOCKS = ["", " %H:%M:%S", " %I:%M:%S %p", " %H:%M"]


def connect(file):
    """Open the file for reading only, with a function that takes the case out of texts of any language."""
    database = sqlite3.connect(f"file:{pathname2url(file)}?mode=ro", uri=True)
    database.text_factory = lambda text: text.decode("utf-8", "replace")
    database.create_function("fold", 1, lambda value: None if value is None else str(value).casefold())
    return database


def tables(database, form):
    search = form.get("searchString", "").lower()
    query = r"SELECT name FROM sqlite_master WHERE type IN ('table', 'view') AND name NOT LIKE 'sqlite\_%' ESCAPE '\'"
    return [{"code": name, "title": name} for (name,) in database.execute(query) if search in name.lower()]


def columns(database, table):
    """Code, type and SQL of each column. Codes are in capitals, as the columns of a dataset are named: SQL does not mind."""
    if table not in [found["code"] for found in tables(database, {})]:
        raise ValueError(f"There is no table {table!r}.")
    for name, declared in database.execute("SELECT name, type FROM pragma_table_info(?)", [table]):
        if "BLOB" not in declared.upper():
            kind = next((kind for part, kind in TYPES.items() if part in declared.upper()), "string")
            # With its table: json_each has columns called id, key, type and value, too.
            sql = EXPRESSIONS[kind].format(f"{quote(table)}.{quote(name)}")
            yield name.upper() if name.isascii() else name, kind, sql


def description(database, form):
    found = columns(database, form.get("table", ""))
    return [{"code": code, "name": code, "type": kind} for code, kind, _ in found]


def data(database, form):
    """The header, then row after row: a large table is never held in memory."""
    table = form.get("table", "")
    known = {code: (code, kind, sql) for code, kind, sql in columns(database, table)}
    codes = {name: code for code, name in (form.get("mapFields") or {}).items()}

    def find(name):
        for code in (codes.get(name), name, name.upper()):
            if code in known:
                return known[code]
        raise ValueError(f"There is no column {name!r}.")

    asked = in_order(form.get("select") or {})
    chosen = [find(name) for name in asked] or list(known.values())
    limit = form.get("limit") or str(sys.maxsize)
    if not limit.isdecimal():
        raise ValueError(f"The limit must be a whole number, not {limit!r}.")
    values = []
    condition = group(form.get("filter") or {}, find, values)
    query = f"SELECT {', '.join(sql for *_, sql in chosen)} FROM {quote(table)} WHERE {condition} LIMIT ?"
    rows = database.execute(query, [*values, min(int(limit), sys.maxsize)])
    return itertools.chain([[code for code, *_ in chosen] if codes or not asked else asked], rows)


def group(members, find, values, numbered=False):
    """SQL for conditions and numbered groups of them; the values for its question marks are added to `values`."""
    logic, parts = "AND", []
    for key, value in members.items():
        if key.upper() == "LOGIC":
            logic = {"AND": "AND", "OR": "OR"}[value.upper()]
        elif key.isdecimal():
            parts.append(group(value, find, values, numbered=True))
        else:
            parts.append(condition(key, value, find, values, numbered))
    return f"({f' {logic} '.join(parts or ['1'])})"


def condition(key, value, find, values, numbered):
    negated, operator, name = KEY.fullmatch(key).groups()
    _, kind, column = find(name)
    # A bare value: in a group 0 is how PHP writes false, and means "is empty" as nothing does.
    if operator in ("", "=") and (value == "" or (value == "0" and numbered)):
        sql = f"coalesce({column}, '') = ''"
    else:
        texts = [value] if isinstance(value, str) else in_order(value)
        given = [parse_part(text, kind) if operator == "%" else parse(text, kind) for text in texts]
        if operator == "><" and len(given) != 2:
            raise ValueError("The operator >< takes two values.")
        sql = OPERATORS[operator].format(column)
        values += [json.dumps(given)] * OPERATORS[operator].count("?")
    # A missing value is neither true nor false; "is not one of" keeps it.
    return f"({sql}) IS NOT 1" if negated else f"({sql})"


def parse(text, kind):
    if not isinstance(text, str) or "\0" in text:
        raise ValueError("A list holds something that is not a value.")
    if kind == "string":
        return text
    if kind in ("date", "datetime"):
        moment = parse_moment(text.strip())
        return moment.removesuffix(" 00:00:00") if kind == "date" else moment
    number = float(text) if NUMBER.fullmatch(text) else math.nan
    if not math.isfinite(number):
        raise ValueError(f"{text!r} is not a number.")
    return int(text) if text.lstrip("+-").isdecimal() and abs(number) < 1e18 else number


def parse_part(text, kind):
    """Read a text to search for. In a column of dates only whole days and moments are found."""
    if kind not in ("date", "datetime"):
        return parse(text, "string")
    return parse(text, kind if ":" in text else "date")


def parse_moment(text):
    """Read a date, with or without a time, in the format of any portal into `2026-01-31 08:00:00`."""
    days = ["%Y-%m-%d", "%d.%m.%Y"]
    if "/" in text:
        culture = os.environ.get("CONNECTOR_CULTURE")
        days = [SLASHED[culture]] if culture in SLASHED else SLASHED.values()
    found = set()
    for day, clock in itertools.product(days, CLOCKS):
        try:
            found.add(str(datetime.strptime(text.replace("T", " "), day + clock)))
        except ValueError:
            continue  # written in another way
    if len(found) != 1:
        ways = "can be read in two ways: set CONNECTOR_CULTURE to en or en-gb" if found else "is not a date"
        raise ValueError(f"{text!r} {ways}.")
    return found.pop()


def parse_form(body):
    """Nest the parameters: `filter[0][=ID][]=7` becomes {"filter": {"0": {"=ID": {"0": "7"}}}}."""
    form = {}
    for name, value in parse_qsl(body, keep_blank_values=True):
        first, bracket, rest = name.partition("[")
        if bracket and not rest.endswith("]"):
            raise ValueError(f"The brackets of {name!r} do not match.")
        *path, last = [first, *rest[:-1].split("][")] if bracket else [first]
        node = form
        for key in path:
            node = node.setdefault(key or str(len(node)), {})
        node[last or str(len(node))] = value
    return form


def in_order(items):
    return [items[number] for number in sorted(items, key=int)]


def quote(name):
    return '"' + name.replace('"', '""') + '"'


def check_password(connection):
    for code in ("login", "password"):
        right = os.environ[f"CONNECTOR_{code.upper()}"].encode()
        if not hmac.compare_digest(connection.get(code, "").encode(), right):
            raise PermissionError("The login or the password is wrong.")


class Connector(BaseHTTPRequestHandler):
    def do_POST(self):
        try:
            form = parse_form(self.read_body())
            check_password(form.get("connection", {}))
            with closing(connect(sys.argv[1])) as database:
                self.answer(200, ENDPOINTS[self.path](database, form))
        except ConnectionError:
            return  # whoever asked has gone
        except PermissionError as error:
            self.answer(401, {"error": str(error)})
        except (ValueError, sqlite3.Error) as error:
            self.answer(400, {"error": str(error)})
        except (AttributeError, KeyError, RecursionError, TypeError):
            self.answer(400, {"error": "This connector does not understand the request."})

    def read_body(self):
        size = int(self.headers["Content-Length"])
        body = self.rfile.read(min(size, LARGEST_REQUEST))
        if size <= LARGEST_REQUEST:
            return body.decode()
        for _ in range(LARGEST_REQUEST, size):
            self.rfile.read(1)  # whoever is still sending does not read an answer
        raise ValueError("The request is too large.")

    def answer(self, status, value):
        """Send JSON, a list in parts as its items come. The end of the connection says where it ends."""
        self.send_response(status)
        self.send_header("Content-Type", "application/json; charset=utf-8")
        self.end_headers()
        if isinstance(value, dict):
            self.wfile.write(json.dumps(value).encode())
            return
        items, before = iter(value), "["
        while part := list(itertools.islice(items, 1000)):
            self.wfile.write((before + json.dumps(part, ensure_ascii=False)[1:-1]).encode())
            before = ","
        self.wfile.write(b"[]" if before == "[" else b"]")


ENDPOINTS = {"/check": lambda *_: {"status": "ok"}, "/tables": tables, "/table": description, "/data": data}

if __name__ == "__main__":
    server = ThreadingHTTPServer(("127.0.0.1", int(sys.argv[2])), Connector)
    print(f"Listening on http://127.0.0.1:{server.server_port}", flush=True)
    server.serve_forever()
