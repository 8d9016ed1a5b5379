"""Hide passwords in every text that is shown.

Passwords are collected when they are read, and then searched for in each text. A pattern for URLs
is not enough, because an error of a library may quote a URL in pieces, escaped or cut.
"""

import re
from collections.abc import Iterator, Mapping
from ipaddress import ip_address
from threading import Lock
from typing import Any
from urllib.parse import quote, quote_plus, unquote

from msgspec import json

MASK = "***"
MIN_CHARS = 3  # of a hidden password; to hide shorter ones would hide half of every text
MIN_PIECE_CHARS = 5  # of a hidden piece of one, which a library may quote as a host or a path
MIN_TOKEN_CHARS = 8  # of a piece of a channel's URL that is hidden if it has a digit

_NAMES = re.compile(r"pass|pwd|secret|token|credential|key$", re.IGNORECASE)
_SCHEME = re.compile(r"[a-z0-9+.-]+:(?://)?", re.IGNORECASE)
_SEVERAL = re.compile(r"[;,](?=[a-z0-9+.-]+://)", re.IGNORECASE)
_USERINFO = re.compile(r"(://[^:/?#@;\s]*):[^\s/?#;]*@")
_NAMED = re.compile(
    r"([?&][^=&\s]*(?:pass|pwd|secret|token|credential|key)[^=&\s]*=)[^&;\s'\"]*", re.IGNORECASE
)
_QUERY = re.compile(r"[?&;]([^=&;?]+)=([^&;]*)")


class _Known:
    """All passwords of this process, and one pattern that matches each of them."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._words = set[str]()
        self.pattern: re.Pattern[str] | None = None

    def add(self, words: set[str]) -> None:
        with self._lock:
            if words <= self._words:
                return
            self._words |= words
            longest_first = sorted(self._words, key=len, reverse=True)
            self.pattern = re.compile("|".join(map(re.escape, longest_first)), re.IGNORECASE)


_known = _Known()


def learn(password: str, *, beside: str = "") -> None:
    """Make `hidden` hide this password, its pieces and its escaped forms from now on.

    A word that is also in `beside` (such as the user or host of the URL) stays visible.
    """
    pieces = [piece for piece in re.split(r"[@:/?#]", password) if len(piece) >= MIN_PIECE_CHARS]
    words = {form for word in (password, *pieces) for form in _forms(word)}
    plain = set(re.split(r"[^\w-]+", beside))
    secret = {word for word in words if len(word) >= MIN_CHARS and word not in plain}
    _known.add({word for word in secret if not _is_address(word)})


def _is_address(word: str) -> bool:
    try:  # to hide 127.0.0.1 would hide half of every log
        ip_address(word)
    except ValueError:
        return False
    return True


def learn_url(url: str) -> None:
    """Make `hidden` hide every password in `url`, or in several URLs separated by `;` or `,`."""
    for part in _SEVERAL.split(url):
        rest = _SCHEME.sub("", part, count=1)
        userinfo, at, place = rest.rpartition("@")
        user, colon, password = userinfo.partition(":")
        if at and colon:
            learn(password, beside=f"{part[: len(part) - len(rest)]} {user} {place}")
    for name, value in _QUERY.findall(url):
        if _NAMES.search(name):
            learn(value)


def learn_options(options: Any) -> None:
    """Make `hidden` hide each value whose key looks like that of a password, at any depth."""
    if isinstance(options, Mapping):
        for name, value in options.items():
            if isinstance(value, str) and _NAMES.search(str(name)):
                learn(value)
            learn_options(value)
    elif isinstance(options, list | tuple):
        for value in options:
            learn_options(value)


def hidden(text: str) -> str:
    """Return the text with each known password, and each password in a URL, replaced by `***`."""
    masked = _USERINFO.sub(rf"\1:{MASK}@", text) if "@" in text else text
    masked = _NAMED.sub(rf"\1{MASK}", masked) if "?" in masked else masked
    pattern = _known.pattern
    return pattern.sub(MASK, masked) if pattern is not None else masked


def masked(url: str) -> str:
    """Return the URL with `***` for its passwords, and make `hidden` hide them from now on."""
    learn_url(url)
    return hidden(url)


class Secret(str):
    """A URL whose repr hides its passwords. `str` and comparisons use the complete URL."""

    __slots__ = ()

    def __new__(cls, text: str) -> "Secret":
        learn_url(text)
        return super().__new__(cls, text)

    def __repr__(self) -> str:
        return repr(hidden(self))


def channel_name(url: str) -> str:
    """Return the URL of a message service without secrets: only its scheme and perhaps its host.

    The host is kept for http and https only, because elsewhere it may be a token. `hidden` hides
    the URL's passwords and tokens from now on.
    """
    learn_url(url)
    scheme, _, rest = url.partition("://")
    host = rest.partition("/")[0].partition("?")[0].rpartition("@")[2]
    for piece in re.split(r"[/?&=@:,]", rest):
        if len(piece) >= MIN_TOKEN_CHARS and piece not in host and any(c.isdigit() for c in piece):
            learn(piece, beside=host)
    if scheme.lower() in ("http", "https"):
        return f"{scheme}://{host}"
    return f"{scheme}://{MASK}"


def _forms(word: str) -> Iterator[str]:
    """Yield the forms in which a text may quote `word`: unquoted, URL-quoted and escaped."""
    for form in {word, unquote(word)}:
        yield form
        yield quote(form, safe="")
        yield quote(form)
        yield quote_plus(form)
        yield form.encode("unicode_escape", "replace").decode()
        yield json.encode(form.encode("utf-8", "replace").decode()).decode()[1:-1]
        yield repr(form)[1:-1]
