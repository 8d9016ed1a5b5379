"""Describe the error of a database driver in one line."""

from beatd.secret import hidden

ERROR_MAX_CHARS = 300


def one_line(error: BaseException) -> str:
    """Return the error's text as one line without passwords, at most 300 characters.

    If the text is empty, return the name of the error's class.
    """
    args: tuple[object, ...] = getattr(error, "args", ())
    # PyMySQL's errors are (number, text).
    text = str(args[1]) if len(args) == 2 and isinstance(args[0], int) else str(error)
    return " ".join(hidden(text).split())[:ERROR_MAX_CHARS] or type(error).__name__
