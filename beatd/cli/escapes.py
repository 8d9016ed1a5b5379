"""Escape characters that could control the terminal, in text from outside."""

import re

import click

#: C0 but tab and newline, DEL, C1, the marks that turn the direction of text, and line separators.
_CONTROLS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")


def visible(text: str) -> str:
    r"""Return the text with each character that could control a terminal as an escape like \x1b."""
    return text if text.isprintable() else _CONTROLS.sub(_escaped, text)


def echo(text: str, *, err: bool = False) -> None:
    """Print a line of text from outside, with characters that could control a terminal escaped.

    The text must have no style yet, because the escape sequences of a style would be escaped too.
    """
    click.echo(visible(text), err=err)


def _escaped(found: re.Match[str]) -> str:
    number = ord(found[0])
    return f"\\x{number:02x}" if number < 256 else f"\\u{number:04x}"
