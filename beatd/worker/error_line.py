"""Format an exception as one line of text."""

from beatd.secret import hidden

MAX_CHARS = 500
READ_CHARS = 4 * MAX_CHARS  # of the text of an exception, which may be of any length


def error_line(error: BaseException) -> str:
    """Return an exception as one line, such as "ValueError: no", with passwords hidden."""
    # Celery wraps what it cannot pickle, and keeps the name of the type.
    kind = getattr(error, "exc_cls_name", None) or type(error).__name__
    try:
        text = str(error)
    except Exception:
        text = "(its text cannot be read)"
    return one_line(f"{kind}: {text[:READ_CHARS]}" if text else str(kind))


def one_line(text: str) -> str:
    """Return the text as one line of at most MAX_CHARS characters, with passwords hidden."""
    plain = " ".join(hidden(text).replace("\0", " ").split())
    if len(plain) > MAX_CHARS:
        plain = plain[: MAX_CHARS - 1] + "…"
    return plain.encode("utf-8", "replace").decode()
