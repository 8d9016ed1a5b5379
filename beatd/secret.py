"""Passwords: learned where one is read, and hidden wherever text is shown.

A password is hidden by what it is and not by the shape of the text around it: an error of a library
may quote a URL in pieces, escaped, or cut in odd places.
"""

import re
from collections.abc import Iterator, Mapping
from threading import Lock
from typing import Any
from urllib.parse import quote, quote_plus, unquote

from msgspec import json

MASK = "***"
MIN_CHARS = 3  # characters; to hide shorter ones would hide half of every text
MIN_PIECE_CHARS = 5  # of a password that a library may take for a host or a path

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
    """Hide it from here on. A word that also stands `beside` it, as a user or a host, is shown."""
    pieces = [piece for piece in re.split(r"[@:/?#]", password) if len(piece) >= MIN_PIECE_CHARS]
    words = {form for word in (password, *pieces) for form in _forms(word)}
    plain = set(re.split(r"[^\w-]+", beside))
    _known.add({word for word in words if len(word) >= MIN_CHARS and word not in plain})


def learn_url(url: str) -> None:
    """Hide each password of a URL, or of several in one, however odd it is written."""
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
    """Hide what is named like a password in settings, at any depth."""
    if isinstance(options, Mapping):
        for name, value in options.items():
            if isinstance(value, str) and _NAMES.search(str(name)):
                learn(value)
            learn_options(value)
    elif isinstance(options, list | tuple):
        for value in options:
            learn_options(value)


def hidden(text: str) -> str:
    """The text without any password that this process has learned, and without what stands in a
    URL where a password does."""
    masked = _USERINFO.sub(rf"\1:{MASK}@", text) if "@" in text else text
    masked = _NAMED.sub(rf"\1{MASK}", masked) if "?" in masked else masked
    pattern = _known.pattern
    return pattern.sub(MASK, masked) if pattern is not None else masked


def masked(url: str) -> str:
    """The URL as it may be shown; its passwords are hidden from here on."""
    learn_url(url)
    return hidden(url)


class Secret(str):
    """A URL: itself as text, masked where a value of it is shown."""

    __slots__ = ()

    def __new__(cls, text: str) -> "Secret":
        learn_url(text)
        return super().__new__(cls, text)

    def __repr__(self) -> str:
        return repr(hidden(self))


def _forms(word: str) -> Iterator[str]:
    """As it is written in a URL, read from one, or escaped by whoever quotes it."""
    for form in {word, unquote(word)}:
        yield form
        yield quote(form, safe="")
        yield quote(form)
        yield quote_plus(form)
        yield form.encode("unicode_escape", "replace").decode()
        yield json.encode(form.encode("utf-8", "replace").decode()).decode()[1:-1]
        yield repr(form)[1:-1]
