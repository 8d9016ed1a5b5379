"""List every message that a user can cause: `python -m tests.messages.collect [LEVEL…]`.

The messages are found in the sources: texts of errors, problems, warnings, notes and log lines. A
value that is filled in is shown as its expression between braces.
"""

import ast
import re
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[2]
#: Functions, besides classes of errors, whose argument is a message: its place, and the level.
CALLS = {
    "Problem": (0, "problem"),
    "wrong": (0, "problem"),
    "_note": (0, "problem"),
    "_wrong": (0, "problem"),
    "_warning": (0, "warning"),
    "print_message": (0, "stderr"),
    "HTTPException": (1, "error"),
    "UsageError": (0, "usage"),
    "BadParameter": (0, "usage"),
    "ClickException": (0, "usage"),
}
LOG_LEVELS = ("debug", "info", "warning", "error", "exception", "critical")
#: Errors of Python that beatd raises at a user of its library.
PYTHON_ERRORS = {"ValueError", "TypeError", "KeyError", "LookupError", "AttributeError"}
#: Modules in which every text is a message.
WORDINGS = ("observers/log.py", "observers/outcome_lines.py", "observers/skip_lines.py")
#: A text that has no words of its own, as it passes on those of another error.
PASSED_ON = re.compile(r"(note: )?(\{[^{}]*\}|[^\w{}])*")
_VALUE = re.compile(r"\{.*\}")
WORDS_OF_A_PART_MIN = 4  # of a text that a function returns
WORDS_MIN = 3  # of a text in such a module


class Message(NamedTuple):
    """A message and the place in the sources that has it."""

    place: str
    level: str
    text: str


def messages() -> list[Message]:
    """Return every message in the sources, in the order of files and lines."""
    trees = {path: ast.parse(path.read_text()) for path in sorted((ROOT / "beatd").rglob("*.py"))}
    errors = error_classes(trees.values())
    found: list[Message] = []
    for path, tree in trees.items():
        name = path.relative_to(ROOT).as_posix()
        texts: set[str] = set()
        for line, level, text in sorted(_in_module(name, tree, errors)):
            if text not in texts and not PASSED_ON.fullmatch(text):
                texts.add(text)
                found.append(Message(f"{name}:{line}", level, text))
    return found


def error_classes(trees: Iterable[ast.Module]) -> set[str]:
    """Return the names of all classes of errors in the sources."""
    bases: dict[str, set[str]] = {}
    for tree in trees:
        for node in ast.walk(tree):
            if isinstance(node, ast.ClassDef):
                bases[node.name] = {_last_name(base) for base in node.bases}
    found = {"Exception", *PYTHON_ERRORS}
    while more := {name for name, above in bases.items() if above & found} - found:
        found |= more
    return found


def _in_module(name: str, tree: ast.Module, errors: set[str]) -> Iterator[tuple[int, str, str]]:
    functions = [tree, *(n for n in ast.walk(tree) if isinstance(n, ast.FunctionDef))]
    scopes = {id(node): scope for scope in functions for node in ast.walk(scope)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            argument, level = _message_of(node, errors)
            if argument is not None:
                for text in _texts(argument, scopes[id(node)]):
                    yield node.lineno, level, text
        if (
            isinstance(node, ast.Raise)
            and isinstance(node.exc, ast.Call)
            and _message_of(node.exc, errors)[0] is None
        ):
            # A function makes the error, and the message is any of its arguments.
            for argument in node.exc.args:
                for text in _texts(argument, scopes[id(node)]):
                    if len(text.split()) >= WORDS_MIN and not text.startswith("{"):
                        yield node.exc.lineno, "error", text
    for function in functions[1:]:
        if isinstance(function, ast.FunctionDef) and function.returns is not None:
            yield from _returned(function)
    if name.endswith(WORDINGS):
        inside = {
            id(part) for n in ast.walk(tree) if isinstance(n, ast.JoinedStr) for part in n.values
        }
        docstrings = _docstring_lines(tree)
        for node in ast.walk(tree):
            if not isinstance(node, ast.JoinedStr | ast.Constant) or id(node) in inside:
                continue
            if node.lineno not in docstrings:
                for text in _texts(node, tree):
                    if len(text.split()) >= WORDS_MIN:
                        yield node.lineno, "log", text


def _returned(function: ast.FunctionDef) -> Iterator[tuple[int, str, str]]:
    """Yield the texts that a function returns, of which others make messages."""
    if function.returns is None or _source(function.returns) not in ("str", "str | None"):
        return
    for node in ast.walk(function):
        if isinstance(node, ast.Return) and node.value is not None:
            for text in _texts(node.value, function):
                if len(_VALUE.sub("", text).split()) >= WORDS_OF_A_PART_MIN:
                    yield node.lineno, "part", text


def _docstring_lines(tree: ast.Module) -> set[int]:
    return {
        line
        for node in ast.walk(tree)
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        for line in range(node.lineno, (node.end_lineno or node.lineno) + 1)
    }


def _message_of(call: ast.Call, errors: set[str]) -> tuple[ast.expr | None, str]:
    """Return the argument of the call that is a message, or None, and its level."""
    name = _last_name(call.func)
    at, level = CALLS.get(name, (0, "error" if name in errors else ""))
    if isinstance(call.func, ast.Attribute) and name in LOG_LEVELS and "log" in _source(call.func):
        level = f"log {name}"
    if level == "problem" and any(word.arg == "warning" for word in call.keywords):
        level = "warning"
    if not level or len(call.args) <= at:
        return None, ""
    return call.args[at], level


def _texts(node: ast.expr, scope: ast.AST, above: frozenset[str] = frozenset()) -> list[str]:
    """Return each text that an expression can have; a name stands for what was assigned to it.

    `above` are the names that are being looked up, as a text may be assigned from itself.
    """
    match node:
        case ast.Constant(value=str(text)):
            return [text]
        case ast.JoinedStr(values=parts):
            return ["".join(_part(part) for part in parts)]
        case ast.BinOp(op=ast.Add(), left=left, right=right):
            rights = _texts(right, scope, above)
            return [a + b for a in _texts(left, scope, above) for b in rights]
        case ast.IfExp(body=body, orelse=other):
            return _texts(body, scope, above) + _texts(other, scope, above)
        case ast.Name(id=name) if name not in above:
            assigned = [
                text
                for one in ast.walk(scope)
                if isinstance(one, ast.Assign | ast.AugAssign)
                and any(_last_name(target) == name for target in _targets(one))
                and not isinstance(one.value, ast.Name | ast.Call)
                for text in _texts(one.value, scope, above | {name})
            ]
            return [text for text in assigned if " " in text] or [f"{{{name}}}"]
        case _:
            return [f"{{{_source(node)}}}"]


def _targets(node: ast.Assign | ast.AugAssign) -> list[ast.expr]:
    return node.targets if isinstance(node, ast.Assign) else [node.target]


def _part(part: ast.expr) -> str:
    if isinstance(part, ast.Constant):
        return str(part.value)
    assert isinstance(part, ast.FormattedValue)
    conversion = "!r" if part.conversion == ord("r") else ""
    return f"{{{_source(part.value)}{conversion}}}"


def _source(node: ast.AST) -> str:
    return ast.unparse(node)


def _last_name(node: ast.AST) -> str:
    return node.attr if isinstance(node, ast.Attribute) else getattr(node, "id", "")


if __name__ == "__main__":
    for found in messages():
        if not sys.argv[1:] or found.level in sys.argv[1:]:
            sys.stdout.write(f"{found.place}\t{found.level}\t{found.text!r}\n")
