"""Report the error of a database driver in one line."""

from beatd.secret import hidden

ERROR_MAX_CHARS = 300


def one_line(error: BaseException) -> str:
    """Return the text of the error without line breaks and passwords, cut to 300 characters. Return
    the name of the error's class if the error has no text."""
    args: tuple[object, ...] = getattr(error, "args", ())
    # PyMySQL's errors are (number, text).
    text = str(args[1]) if len(args) == 2 and isinstance(args[0], int) else str(error)
    return " ".join(hidden(text).split())[:ERROR_MAX_CHARS] or type(error).__name__
