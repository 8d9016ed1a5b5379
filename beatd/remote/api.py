"""Send HTTP requests to the API of a daemon, and raise its error responses as Python exceptions."""

import ssl
from collections.abc import Iterator, Mapping
from datetime import datetime
from http.client import HTTPException
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.parse import quote, urlencode
from urllib.request import HTTPRedirectHandler, HTTPSHandler, Request, build_opener

from msgspec import MsgspecError, json

from beatd.errors import StoreError
from beatd.remote.daemon_url import DaemonUrl
from beatd.remote.refusals import error_of
from beatd.schedules.moment import format_moment

TIMEOUT_S = 10.0
PAGE = 500  # items of a page, the most that the API allows
PREFIX = "/api/v1/"

Value = str | int | bool | datetime | None


class _NoRedirects(HTTPRedirectHandler):
    # So that the token goes only to the given URL.
    def redirect_request(self, *_: Any) -> None:
        return None


class Api:
    """A client of one daemon's HTTP API. Each method raises StoreError if the daemon does not
    answer.

    An error response is raised as the exception that the same command raises on a store.
    """

    def __init__(self, daemon: DaemonUrl, *, timeout_s: float) -> None:
        self.url, self._token, self._timeout_s = daemon.base(), daemon.token(), timeout_s
        tls = HTTPSHandler(context=daemon.certificates())
        self._opener = build_opener(_NoRedirects, tls)

    def get(self, path: str, **values: Value) -> dict[str, Any]:
        """Send a GET request with these query parameters, and return the JSON object of the
        response."""
        return self.send("GET", path, None, None, **values)

    def pages(self, path: str, limit: int | None = None, **values: Value) -> Iterator[Any]:
        """Yield the items of a list, which the API returns page by page.

        At most `limit` items are yielded; None means all.
        """
        left, after = limit, None
        while left is None or left > 0:
            size = PAGE if left is None else min(PAGE, left)
            page = self.get(path, **values, limit=size, after=after)
            yield from page["items"]
            after = page["next"]
            if after is None:
                return
            left = None if left is None else left - len(page["items"])

    def send(
        self,
        method: str,
        path: str,
        body: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
        **values: Value,
    ) -> dict[str, Any]:
        """Send a request, and return the JSON object of the response, or {} if it has no content.

        Raises Stale if the entry has another revision than the headers require.
        """
        query = urlencode({k: _text(v) for k, v in values.items() if v not in (None, "", False)})
        url = f"{self.url}{PREFIX}{path}{f'?{query}' if query else ''}"
        sent = {"Accept": "application/json", "User-Agent": "beatd", **(headers or {})}
        if self._token:
            sent["Authorization"] = f"Bearer {self._token}"
        content = None
        if body is not None:
            sent["Content-Type"] = "application/json"
            content = json.encode(body)
        status, kind, text = self._answer(Request(url, content, sent, method=method))
        plain = self._plain(status, kind, text)
        if status >= 300:
            raise error_of(status, plain, self.url, with_token=bool(self._token))
        return plain

    def _answer(self, request: Request) -> tuple[int, str, bytes]:
        try:
            try:
                with self._opener.open(request, timeout=self._timeout_s) as answer:
                    return answer.status, answer.headers.get_content_type(), answer.read()
            except HTTPError as refused:
                with refused:
                    return refused.code, refused.headers.get_content_type(), refused.read()
        except URLError as error:
            raise self._no_answer(error.reason, request) from None
        except (OSError, HTTPException) as error:
            raise self._no_answer(error, request) from None

    def _no_answer(self, reason: Any, request: Request) -> StoreError:
        match reason:
            case ssl.SSLCertVerificationError():
                why = reason.verify_message.rstrip(".")
                text = f"its certificate is not trusted: {why}; see --ca FILE"
            case ssl.SSLError():
                text = "it does not answer with TLS; is it http:// ?"
            case TimeoutError():
                text = f"no answer within {self._timeout_s:g} s"
                if request.get_method() != "GET":
                    text += "; the change may have been made all the same"
            case ConnectionRefusedError():
                text = "no connection: nothing listens there; is the daemon running?"
            case HTTPException() | ConnectionResetError():
                text = "the connection ended without an HTTP answer; is it https:// ?"
            case OSError():
                text = f"no connection: {(reason.strerror or str(reason)).lower()}"
            case _:
                text = f"no connection: {reason}"
        return StoreError(f"{self.url}: {text}")

    def _plain(self, status: int, kind: str, text: bytes) -> dict[str, Any]:
        if status == 204:
            return {}
        if kind in ("application/json", "application/problem+json"):
            try:
                return json.decode(text, type=dict[str, Any])
            except (MsgspecError, UnicodeError, RecursionError):
                pass
        if status == 421:  # the gate answers it in plain text
            return {"detail": text.decode(errors="replace").strip()}
        raise StoreError(
            f"{self.url} does not answer as beatd does (status {status}, {kind}); give the URL of "
            "a daemon with `http`"
        )


def entry_path(name: str, *more: str) -> str:
    """Return the API path of an entry, or of a path below it, such as "entries/a%2Fb/pause".

    The name is escaped, here "a/b", because it may contain slashes.
    """
    return "/".join(["entries", quote(name, safe=""), *more])


def _text(value: Value) -> str:
    if isinstance(value, datetime):
        return format_moment(value)
    return "true" if value is True else str(value)
