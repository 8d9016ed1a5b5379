"""Format a value for an error message."""

from typing import Any

from beatd.errors import with_article

_MAX_CHARS = 60


def quoted(value: Any) -> str:
    """Return the repr of a value for an error message, shortened to about 60 characters.

    The result is one printable line, even for a very large or deeply nested value.
    """
    if isinstance(value, str | bytes):
        value = value[: _MAX_CHARS + 1]
    elif isinstance(value, int) and value.bit_length() > 200:
        return "a very large number"
    try:
        text = ascii(value) if isinstance(value, str) and not value.isprintable() else repr(value)
    except RecursionError:
        return f"{with_article(type(value).__name__)} that is nested too deeply to be shown"
    return text if len(text) <= _MAX_CHARS + 2 else text[: _MAX_CHARS - 1] + "…"
