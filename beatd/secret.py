"""Passwords: remembered when they are read, and hidden in every text that is shown.

A password is recognized by itself and not by the text around it: an error of a library may quote a
URL in pieces, escaped, or cut anywhere.
"""

import re
from collections.abc import Iterator, Mapping
from threading import Lock
from typing import Any
from urllib.parse import quote, quote_plus, unquote

from msgspec import json

MASK = "***"
MIN_CHARS = 3  # of a hidden password; to hide shorter ones would hide half of every text
MIN_PIECE_CHARS = 5  # of a hidden piece of one, which a library may quote as a host or a path

_NAMES = re.compile(r"pass|pwd|secret|token|credential|key$", re.IGNORECASE)
_SCHEME = re.compile(r"[a-z0-9+.-]+:(?://)?", re.IGNORECASE)
_SEVERAL = re.compile(r"[;,](?=[a-z0-9+.-]+://)", re.IGNORECASE)
_USERINFO = re.compile(r"(://[^:/?#@;\s]*):[^\s/?#;]*@")
_NAMED = re.compile(
    r"([?&][^=&\s]*(?:pass|pwd|secret|token|credential|key)[^=&\s]*=)[^&;\s'\"]*", re.IGNORECASE
)
_QUERY = re.compile(r"[?&;]([^=&;?]+)=([^&;]*)")


class _Known:
    """All passwords of this process, and one pattern that finds any of them."""

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
    """Hide a password from now on, but no word of it that is also in `beside` (a user, a host)."""
    pieces = [piece for piece in re.split(r"[@:/?#]", password) if len(piece) >= MIN_PIECE_CHARS]
    words = {form for word in (password, *pieces) for form in _forms(word)}
    plain = set(re.split(r"[^\w-]+", beside))
    _known.add({word for word in words if len(word) >= MIN_CHARS and word not in plain})


def learn_url(url: str) -> None:
    """Hide each password of a URL, or of several URLs in one text, however it is written."""
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
    """Hide each value whose key is named like a password, at any depth."""
    if isinstance(options, Mapping):
        for name, value in options.items():
            if isinstance(value, str) and _NAMES.search(str(name)):
                learn(value)
            learn_options(value)
    elif isinstance(options, list | tuple):
        for value in options:
            learn_options(value)


def hidden(text: str) -> str:
    """Return the text without passwords: those that are known, and any in a URL."""
    masked = _USERINFO.sub(rf"\1:{MASK}@", text) if "@" in text else text
    masked = _NAMED.sub(rf"\1{MASK}", masked) if "?" in masked else masked
    pattern = _known.pattern
    return pattern.sub(MASK, masked) if pattern is not None else masked


def masked(url: str) -> str:
    """Return the URL as it may be shown; its passwords are hidden from now on."""
    learn_url(url)
    return hidden(url)


class Secret(str):
    """A URL whose repr hides its passwords; as text it is the URL itself."""

    __slots__ = ()

    def __new__(cls, text: str) -> "Secret":
        learn_url(text)
        return super().__new__(cls, text)

    def __repr__(self) -> str:
        return repr(hidden(self))


def _forms(word: str) -> Iterator[str]:
    """Yield the word as it is written in a URL, read from one, and escaped in other ways."""
    for form in {word, unquote(word)}:
        yield form
        yield quote(form, safe="")
        yield quote(form)
        yield quote_plus(form)
        yield form.encode("unicode_escape", "replace").decode()
        yield json.encode(form.encode("utf-8", "replace").decode()).decode()[1:-1]
        yield repr(form)[1:-1]
