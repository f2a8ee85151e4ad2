"""Tell somebody of a failed run or a missed target: a webhook, or mail. The address is a secret and is never shown."""

from __future__ import annotations

import json
import os
import smtplib
import urllib.error
import urllib.request
from collections.abc import Mapping
from email.message import EmailMessage
from http.client import HTTPException
from urllib.parse import parse_qs, unquote, urlsplit

SECONDS = 20
FORMS = "let it hold https://…, or smtp://user:password@host:587?to=…&from=…"


def send(reference: str, news: Mapping[str, object]) -> str:
    """Send ``news`` to the address in the variable of ``${NAME}``; returns what went wrong, in words, or nothing."""
    address = os.environ.get(reference[2:-1], "")
    if not address:
        return f"notify: {reference} is not set · set {reference[2:-1]} before kpibook starts"
    kind = address.partition(":")[0].lower()
    if kind not in ("http", "https", "smtp", "smtps"):
        return f"notify: {reference} is no address · {FORMS}"
    try:
        _post(address, news) if kind.startswith("http") else _mail(address, news)
    except urllib.error.HTTPError as error:
        return f"notify: {reference} answered {error.code} · see whether the address is still the right one"
    except (OSError, ValueError, KeyError, HTTPException, smtplib.SMTPException) as error:
        # The text of such an error may repeat the address.
        return f"notify: {reference} could not be reached ({type(error).__name__}) · see that its server answers"
    return ""


def _post(address: str, news: Mapping[str, object]) -> None:
    body = json.dumps(news, ensure_ascii=False).encode()
    request = urllib.request.Request(address, body, {"Content-Type": "application/json"}, method="POST")  # noqa: S310
    with urllib.request.urlopen(request, timeout=SECONDS):  # noqa: S310 (send lets nothing else than http(s) pass)
        pass


def _mail(address: str, news: Mapping[str, object]) -> None:
    parts = urlsplit(address)
    asked = parse_qs(parts.query)
    message = EmailMessage()
    message["To"], message["From"] = asked["to"][0], asked.get("from", asked["to"])[0]
    message["Subject"] = f"kpibook: {news['client']} {news['state']}"
    message.set_content("\n".join(f"{name}: {value}" for name, value in news.items()))
    server = smtplib.SMTP_SSL if parts.scheme == "smtps" else smtplib.SMTP
    with server(parts.hostname or "", parts.port or 0, timeout=SECONDS) as post:
        if parts.username:
            if parts.scheme == "smtp":
                post.starttls()
            post.login(unquote(parts.username), unquote(parts.password or ""))
        post.send_message(message)
