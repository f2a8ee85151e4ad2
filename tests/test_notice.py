"""Hooks: what is sent, and that no message shows the address."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Self

import pytest

from kpibook import notice

NEWS = {"client": "shop", "state": "failed", "code": 4}


@pytest.fixture
def server() -> Iterator[HTTPServer]:
    class Hook(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            heard.append(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(500 if self.path == "/broken" else 204)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            return

    heard: list[bytes] = []
    with HTTPServer(("127.0.0.1", 0), Hook) as made:
        made.heard = heard  # type: ignore[attr-defined]
        thread = threading.Thread(target=made.serve_forever, args=(0.05,))
        thread.start()
        yield made
        made.shutdown()
        thread.join()


def send(address: str, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("HOOK", address)
    return notice.send("${HOOK}", NEWS)


def test_a_webhook_gets_json(server: HTTPServer, monkeypatch: pytest.MonkeyPatch) -> None:
    assert send(f"http://127.0.0.1:{server.server_port}/s3cret", monkeypatch) == ""
    assert [json.loads(each) for each in server.heard] == [NEWS]  # type: ignore[attr-defined]


def test_what_goes_wrong_names_the_variable_only(server: HTTPServer, monkeypatch: pytest.MonkeyPatch) -> None:
    forms = "let it hold https://…, or smtp://user:password@host:587?to=…&from=…"
    assert send("ftp://s3cret", monkeypatch) == f"notify: ${{HOOK}} is no address · {forms}"
    assert send(f"http://127.0.0.1:{server.server_port}/broken", monkeypatch) == (
        "notify: ${HOOK} answered 500 · see whether the address is still the right one"
    )
    assert send("http://s3cret.invalid/x", monkeypatch) == (
        "notify: ${HOOK} could not be reached (URLError) · see that its server answers"
    )
    assert send("smtp://user:s3cret@127.0.0.1:1", monkeypatch) == (
        "notify: ${HOOK} could not be reached (KeyError) · see that its server answers"
    )
    assert send(f"http://127.0.0.1:{server.server_port}/s3 cret", monkeypatch) == (
        "notify: ${HOOK} could not be reached (InvalidURL) \u00b7 see that its server answers"
    )
    assert send("https://user:s3cret@\u2100.example/x", monkeypatch) == (
        "notify: ${HOOK} could not be reached (ValueError) \u00b7 see that its server answers"
    )
    monkeypatch.delenv("HOOK")
    assert notice.send("${HOOK}", NEWS) == "notify: ${HOOK} is not set · set HOOK before kpibook starts"


def test_a_mail(monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[object] = []

    class Post:
        def __init__(self, host: str, port: int, timeout: float) -> None:
            said.append((host, port))

        def __enter__(self) -> Self:
            return self

        def __exit__(self, *_: object) -> None:
            return

        def starttls(self) -> None:
            said.append("tls")

        def login(self, user: str, password: str) -> None:
            said.append((user, password))

        def send_message(self, message: object) -> None:
            said.append((message["To"], message["From"], message["Subject"], message.get_content()))  # type: ignore[index]

    monkeypatch.setattr(notice.smtplib, "SMTP", Post)
    assert send("smtp://me:p%40ss@mail.example:587?to=a@b.c&from=k@b.c", monkeypatch) == ""
    body = "client: shop\nstate: failed\ncode: 4\n"
    assert said == [("mail.example", 587), "tls", ("me", "p@ss"), ("a@b.c", "k@b.c", "kpibook: shop failed", body)]
