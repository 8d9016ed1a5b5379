"""The text of a shelf: lines of plain JSON, each with its checksum and its number.

    0f3c9a11 0 {"beatd":"shelf","format":1,"generation":"…"}
    9b1d04e7 1 [["version",1],["defined",…],["planned",…]]

A line is whole or it is not there: a tail without its newline was never acknowledged, and a line
whose checksum is wrong is told apart from the good ones on either side of it.
"""

from collections.abc import Iterable, Iterator
from itertools import islice
from zlib import crc32

from msgspec import DecodeError, Struct, ValidationError, json

from beatd.errors import StoreUnusable
from beatd.stores.tables import AnyValue

FORMAT = 1
AT_ONCE = 500


class Header(Struct, frozen=True):
    """`generation` is made anew with each rewriting, so that a file and its copy are told apart."""

    beatd: str
    format: int
    generation: str


class Text(Struct):
    """What was read: good lines by number, and whether there was anything else."""

    header: Header | None
    lines: dict[int, bytes]
    length: int  # up to the end of the last complete line
    clean: bool

    @property
    def is_ours(self) -> bool:
        return self.header is not None or bool(self.lines)


_encoder = json.Encoder()
_values = json.Decoder(list[AnyValue])
_header = json.Decoder(Header)


def line(number: int, values: list[AnyValue]) -> bytes:
    return _sealed(number, _encoder.encode(values))


def whole(generation: str, values: Iterable[AnyValue]) -> Iterator[bytes]:
    """The lines of a file that holds just these values."""
    yield _sealed(0, _encoder.encode(Header("shelf", FORMAT, generation)))
    rest = iter(values)
    number = 1
    while some := list(islice(rest, AT_ONCE)):
        yield line(number, some)
        number += 1


def _sealed(number: int, text: bytes) -> bytes:
    numbered = b"%d %b" % (number, text)
    return b"%08x %b\n" % (crc32(numbered), numbered)


def read(data: bytes) -> Text:
    """The good lines of a whole file."""
    *complete, tail = data.split(b"\n")
    text = Text(header=None, lines={}, length=len(data) - len(tail), clean=True)
    for place, sealed in enumerate(complete):
        opened = _opened(sealed)
        if opened is None:
            text.clean = False
        elif opened[0] == 0:
            text.header = _header.decode(opened[1])
        else:
            text.lines[opened[0]] = opened[1]
            text.clean &= opened[0] == place
    text.clean &= text.header is not None
    return text


def read_on(data: bytes, number: int) -> tuple[list[bytes], int] | None:
    """The lines that were added from a number on, and their length; None if one is bad."""
    *complete, tail = data.split(b"\n")
    lines: list[bytes] = []
    for sealed in complete:
        opened = _opened(sealed)
        if opened is None or opened[0] != number + len(lines):
            return None
        lines.append(opened[1])
    return lines, len(data) - len(tail)


def _opened(sealed: bytes) -> tuple[int, bytes] | None:
    checksum, _, numbered = sealed.partition(b" ")
    try:
        if len(checksum) != 8 or int(checksum, 16) != crc32(numbered):
            return None
        number, _, text = numbered.partition(b" ")
        return int(number), text
    except ValueError:
        return None


def values_of(text: bytes) -> list[AnyValue]:
    try:
        return _values.decode(text)
    except (ValidationError, DecodeError) as error:
        # The checksum was right, so this is what was written: by a program that knows more.
        raise StoreUnusable(
            f"the shelf holds what this beatd does not know ({error}); a newer one wrote it"
        ) from None
