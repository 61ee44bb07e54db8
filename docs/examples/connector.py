"""A connector for Bitrix24 BI over a SQLite file. Needs nothing but Python.

CONNECTOR_LOGIN=bi CONNECTOR_PASSWORD=… python connector.py shop.sqlite3 8000
"""

import hmac
import json
import os
import re
import sqlite3
import sys
from contextlib import closing
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl

TYPES = {"INTEGER": "int", "REAL": "double", "DATE": "date", "DATETIME": "datetime"}
OPERATORS = {"": "IS", "=": "IS", "!": "IS NOT", "!=": "IS NOT", ">": ">", "<": "<", ">=": ">=", "<=": "<="}


def tables(database, form):
    search = form.get("searchString", "").lower()
    names = [name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
    return [{"code": name, "title": name} for name in names if search in name.lower()]


def description(database, form):
    columns = list(database.execute("SELECT name, type FROM pragma_table_info(?)", [form["table"]]))
    if not columns:
        raise ValueError("no such table")
    return [{"code": name, "name": name, "type": TYPES.get(kind, "string")} for name, kind in columns]


def data(database, form):
    known = {column["code"]: f'"{column["code"]}"' for column in description(database, form)}
    chosen = [value for key, value in form.items() if key.startswith("select[")] or list(known)
    conditions, values = ["1"], []
    for key in (key for key in form if key.startswith("filter[")):
        operator, code = re.fullmatch(r"filter\[(\W*)(\w+)\]", key).groups()
        conditions.append(f"{known[code]} {OPERATORS[operator]} ?")
        values.append(form[key])
    columns = ", ".join(known[code] for code in chosen)  # names of the table, never words of the request
    query = f'SELECT {columns} FROM "{form["table"]}" WHERE {" AND ".join(conditions)} LIMIT ?'
    return [chosen, *database.execute(query, [*values, int(form.get("limit", -1))])]


class Connector(BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        pairs = parse_qsl(body, keep_blank_values=True)
        form = {key.replace("[]", f"[{n}]"): value for n, (key, value) in enumerate(pairs)}
        try:
            for code in ("login", "password"):
                right = os.environ[f"CONNECTOR_{code.upper()}"].encode()
                if not hmac.compare_digest(form.get(f"connection[{code}]", "").encode(), right):
                    return self.answer(401, {"error": "The login or the password is wrong."})
            with closing(sqlite3.connect(f"file:{sys.argv[1]}?mode=ro", uri=True)) as database:
                self.answer(200, ENDPOINTS[self.path](database, form))
        except (AttributeError, KeyError, ValueError, sqlite3.Error) as error:
            self.answer(400, {"error": f"This connector does not understand the request: {error}"})

    def answer(self, status, value):
        body = json.dumps(value, ensure_ascii=False).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


ENDPOINTS = {"/check": lambda *_: {"status": "ok"}, "/tables": tables, "/table": description, "/data": data}

if __name__ == "__main__":
    server = ThreadingHTTPServer(("127.0.0.1", int(sys.argv[2])), Connector)
    print(f"Listening on http://127.0.0.1:{server.server_port}", flush=True)
    server.serve_forever()
