"""Escape control characters in text before it is printed on a terminal."""

import re

import click

#: C0 but tab and newline, DEL, C1, the marks that turn the direction of text, and line separators.
_CONTROLS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")


def visible(text: str) -> str:
    """Return the text with control characters escaped, such as "\\x1b" for the escape character."""
    return text if text.isprintable() else _CONTROLS.sub(_escaped, text)


def echo(text: str, *, err: bool = False) -> None:
    """Print a line, with control characters escaped.

    The text must not be styled, because the codes of a style would be escaped too.
    """
    click.echo(visible(text), err=err)


def _escaped(found: re.Match[str]) -> str:
    number = ord(found[0])
    return f"\\x{number:02x}" if number < 256 else f"\\u{number:04x}"
