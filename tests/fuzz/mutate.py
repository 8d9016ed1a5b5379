"""Make a new input from kept ones: bytes, words, lines and JSON values are changed."""

import json
import random
import re
from collections.abc import Callable, Sequence

BYTES_MAX = 20_000
#: Texts that programs often read wrongly.
STRANGE = (
    "", " ", "\0", "\x7f", "\x85", "\u2028", "\ufeff", "\u202e", "\xa0", "ı", "İ", "ß", "ﬀ", "٣", "１２",
    "²", "½", "Ⅷ", "e\u0301", "👩‍💻", "\U0010ffff", "\\ud800", "%00", "${X}", "${X:-", "null", "~",
    "NaN", "nan", "Infinity", "-inf", "1e999", "1e-999", "0x10", "1_000", "-0", "+1", "0.1", ".5", "true", "False", "[]", "{}", '""',
    "<<", "!!python/object:os.system", "&a", "*a", "- ", ": ", "\t", "\r\n", "#", "'", '"', "\\",
    "0001-01-01", "0001-01-01T00:00:00+14:00", "9999-12-31", "9999-12-31T23:59:59.999999-12:00",
    "2016-12-31T23:59:60Z", "2024-02-29", "2023-02-29", "1970-01-01", "2038-01-19T03:14:08Z", "2026-03-29T02:30:00",
    "2026-W53-7", "20260101T000000", "UTC", "Etc/GMT+12", "Pacific/Apia", "Africa/Monrovia", "Asia/Kathmandu",
    "Europe/Berlin", "Australia/Lord_Howe", "America/St_Johns", "Antarctica/Troll", "../../etc/passwd", "localtime", "posixrules",
)  # fmt: skip
NUMBERS = (
    "0", "-1", "1", "00", "7", "59", "60", "61", "99", "127", "255", "256", "366", "1970", "9999", "10000", "65535", "65536", "2147483647",
    "2147483648", "4294967296", "9007199254740993", "9223372036854775807", "9223372036854775808", "18446744073709551616",
    "1" + "0" * 30, "9" * 400, "9" * 5000, "0.1", "1e10", "1e400", "-9223372036854775809",
)  # fmt: skip
VALUES = (
    None, True, False, 0, 1, -1, 2**31, 2**53 + 1, 2**63, 10**40, 0.5, -1e300, 1e308, "", "a", "\0",
    "\ud800", "x" * 300, [], {}, [[]], {"": ""}, ["a", "b"], {"a": 1}, "1s", "* * * * *", "2027-01-01", "next",
)  # fmt: skip
_TOKEN = re.compile(rb"[A-Za-z0-9_\x80-\xff]+|\s+|.", re.DOTALL)
_DIGITS = re.compile(rb"\d+")


class Mutator:
    """Makes inputs. The same seed, words and kept inputs make the same ones."""

    def __init__(self, seed: str, words: Sequence[str]) -> None:
        self._rng = random.Random(seed)
        self._words = [word.encode(errors="surrogatepass") for word in (*words, *words, *STRANGE)]
        self._ways: list[Callable[[bytes, Sequence[bytes]], bytes]] = [
            self._bytes, self._token, self._token, self._token, self._number, self._number,
            self._lines, self._slice, self._splice, self._json, self._json, self._deep,
        ]  # fmt: skip

    def made(self, kept: Sequence[bytes]) -> bytes:
        """Return an input made from one or two of the kept ones."""
        rng = self._rng
        data = rng.choice(kept)
        if data[:1] in (b"{", b"[") and rng.random() < 0.7:  # it stays JSON
            for _ in range(rng.choice((1, 1, 2, 3))):
                data = self._json(data, kept)
            return data[:BYTES_MAX]
        for _ in range(rng.choice((1, 1, 1, 2, 2, 3, 5))):
            data = rng.choice(self._ways)(data, kept)
        return data[:BYTES_MAX]

    def _bytes(self, data: bytes, _: Sequence[bytes]) -> bytes:
        at = self._rng.randint(0, len(data))
        size = self._rng.choice((0, 1, 1, 2, 4))
        fresh = self._rng.randbytes(self._rng.choice((0, 1, 1, 2, 4)))
        return data[:at] + fresh + data[at + size :]

    def _token(self, data: bytes, _: Sequence[bytes]) -> bytes:
        found = [match.span() for match in _TOKEN.finditer(data[:BYTES_MAX])]
        if not found:
            return self._rng.choice(self._words)
        start, end = self._rng.choice(found)
        old = data[start:end]
        match self._rng.randrange(6):
            case 0:
                fresh = b""
            case 1:
                fresh = old * self._rng.choice((2, 3, 50, 1000))
            case 2:
                fresh = old + self._rng.choice(self._words)
            case 3:
                other = self._rng.choice(found)
                fresh = data[other[0] : other[1]]
            case _:
                fresh = self._rng.choice(self._words)
        return data[:start] + fresh + data[end:]

    def _number(self, data: bytes, _: Sequence[bytes]) -> bytes:
        found = [match.span() for match in _DIGITS.finditer(data[:BYTES_MAX])]
        fresh = self._rng.choice(NUMBERS).encode()
        if not found:
            return data + fresh
        start, end = self._rng.choice(found)
        if self._rng.random() < 0.3 and end - start < 20:
            fresh = str(int(data[start:end]) + self._rng.choice((-1, 1, 10, 100))).encode()
        return data[:start] + fresh + data[end:]

    def _lines(self, data: bytes, _: Sequence[bytes]) -> bytes:
        lines = data.split(b"\n")
        at = self._rng.randrange(len(lines))
        match self._rng.randrange(5):
            case 0:
                del lines[at]
            case 1:
                lines.insert(at, self._rng.choice(lines))
            case 2:
                lines[at] = b" " * self._rng.choice((1, 2, 4)) + lines[at]
            case 3:
                lines[at] = lines[at].lstrip()
            case _:
                key, mark, _rest = lines[at].partition(b":")
                value = json.dumps(self._rng.choice(VALUES)).encode()
                lines[at] = key + mark + b" " + value
        return b"\n".join(lines)

    def _slice(self, data: bytes, _: Sequence[bytes]) -> bytes:
        start, end = sorted(self._rng.randint(0, len(data)) for _ in range(2))
        match self._rng.randrange(3):
            case 0:
                return data[:start] + data[end:]
            case 1:
                return data[:end] + data[start:]
        return data[start:end]

    def _splice(self, data: bytes, kept: Sequence[bytes]) -> bytes:
        other = self._rng.choice(kept)
        return data[: self._rng.randint(0, len(data))] + other[self._rng.randint(0, len(other)) :]

    def _deep(self, data: bytes, _: Sequence[bytes]) -> bytes:
        if self._rng.random() < 0.9:  # most programs refuse these all in the same way
            return self._token(data, _)
        times = self._rng.choice((10, 60, 500, 2000))
        before, after = self._rng.choice(
            ((b"[", b"]"), (b'{"a":', b"}"), (b"(", b")"), (b"- ", b""))
        )
        start, end = sorted(self._rng.randint(0, len(data)) for _ in range(2))
        return data[:start] + before * times + data[start:end] + after * times + data[end:]

    def _json(self, data: bytes, kept: Sequence[bytes]) -> bytes:
        try:
            plain = json.loads(data)
        except (ValueError, RecursionError):
            return self._token(data, kept)
        try:
            return json.dumps(self._value(plain, 0)).encode()
        except (ValueError, RecursionError):
            return data

    def _value(self, value: object, depth: int) -> object:
        rng = self._rng
        if depth < 40 and isinstance(value, dict) and value and rng.random() < 0.8:
            key = rng.choice(list(value))
            match rng.randrange(8):
                case 0:
                    return {k: v for k, v in value.items() if k != key}
                case 1:
                    word = rng.choice(self._words).decode(errors="replace")
                    return {**value, word: rng.choice(list(value.values()))}
            return {**value, key: self._value(value[key], depth + 1)}
        if depth < 40 and isinstance(value, list) and value and rng.random() < 0.8:
            at = rng.randrange(len(value))
            match rng.randrange(8):
                case 0:
                    return value[:at] + value[at + 1 :]
                case 1:
                    return [*value, value[at]]
            return [*value[:at], self._value(value[at], depth + 1), *value[at + 1 :]]
        if isinstance(value, str) and rng.random() < 0.6:
            changed = self._token(value.encode(errors="surrogatepass"), ())
            return changed.decode(errors="replace")
        if rng.random() < 0.1:
            return rng.choice(([value], {"a": value}))
        if rng.random() < 0.4:
            return rng.choice(self._words).decode(errors="replace")
        return rng.choice(VALUES)
