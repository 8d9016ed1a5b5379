"""Explain a syntax error of a YAML text: what is wrong, on which line, and how to correct it."""

import yaml

_MISSING_COLON = "could not find expected ':'; write a key as KEY: VALUE"


def syntax_problem(error: yaml.MarkedYAMLError, text: str, depth: int) -> tuple[str, int | None]:
    """Return a message about a YAML syntax error, and its line, or None if the line is unknown.

    `depth` is the number of levels that a text may have.
    """
    fault = str(error.problem or error.context or "")
    mark = error.problem_mark or error.context_mark
    if "could not find expected ':'" in fault and error.context_mark:
        # The parser notices it at the next key; the key without a colon is at the context.
        return f"is not YAML: {_MISSING_COLON}", error.context_mark.line + 1
    if "mapping values are not allowed" in fault and mark:
        line = _line_without_colon(text.splitlines(), mark)
        if line is not None:
            return f"is not YAML: {_MISSING_COLON}", line
    return _explained(error, fault, text, depth), mark.line + 1 if mark else None


def reader_problem(error: yaml.YAMLError, text: str) -> tuple[str, int | None]:
    """Return a message about a character that YAML does not allow, and its line if it is known."""
    position = getattr(error, "position", None)  # the error has only a position in the text
    line = None if position is None else text.count("\n", 0, position) + 1
    return _one_line(f"is not YAML: {error}"), line


def _explained(error: yaml.MarkedYAMLError, fault: str, text: str, depth: int) -> str:
    if "nesting depth" in fault:  # libyaml looks ahead, and has a limit of its own
        return f"is nested deeper than {depth} levels; move it up some levels"
    mark = error.problem_mark or error.context_mark
    lines = text.splitlines()
    line = lines[mark.line] if mark and mark.line < len(lines) else ""
    if "${" in line and "{" in line.replace("${", ""):
        return f"is not YAML: {fault}; put ${{…}} in quotes where it stands inside {{ }}"
    if "alias" in fault or "alias" in str(error.context or ""):
        return f"is not YAML: {fault}; put a value that begins with * or & in quotes"
    if "cannot start any token" in fault and "\t" not in line:
        return f"is not YAML: {fault}; put the value in quotes"
    if "\t" in line:
        return f"is not YAML: {fault}; indent with blanks, not with tabs"
    if "mapping values are not allowed" in fault:
        return f"is not YAML: {fault}; put a value with ': ' in it in quotes, or check the indent"
    return _one_line(f"is not YAML: {fault}")


def _line_without_colon(lines: list[str], mark: yaml.Mark) -> int | None:
    """Return the line of a key without a colon, which the parser took for the start of a text.

    `mark` is at the colon that the parser does not allow: the first one of its line if this line
    goes on with such a text. The key is on the line with content before it, and can only be a key
    if the text begins there: at the start of the file or of a list item, or below `KEY:`. Returns
    None if there is no such line.
    """
    if mark.line >= len(lines) or ": " in lines[mark.line][: mark.column]:
        return None
    above = [
        (number, content)
        for number, line in enumerate(lines[: mark.line], 1)
        if (content := _without_comment(line))
    ]
    if not above or _has_colon(above[-1][1]):
        return None
    number, content = above[-1]
    begins = content.startswith("- ") or len(above) == 1 or above[-2][1].endswith(":")
    return number if begins else None


def _has_colon(content: str) -> bool:
    return content.endswith(":") or ": " in content


def _without_comment(line: str) -> str:
    content = line.strip()
    return "" if content.startswith("#") else content.partition(" #")[0].rstrip()


def _one_line(text: str) -> str:
    return " ".join(text.split())[:200]
