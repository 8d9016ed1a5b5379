"""The small changes that are tried on a module: each is a `Mutant`."""

import ast
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Literal

NOT_CODE = {"annotation", "returns", "decorator_list", "bases", "keywords", "type_comment"}
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
OTHER_OPERATORS: dict[type[ast.AST], tuple[type[ast.AST], ...]] = {
    ast.Lt: (ast.LtE, ast.GtE), ast.LtE: (ast.Lt, ast.Gt),
    ast.Gt: (ast.GtE, ast.LtE), ast.GtE: (ast.Gt, ast.Lt),
    ast.Eq: (ast.NotEq,), ast.NotEq: (ast.Eq,), ast.Is: (ast.IsNot,), ast.IsNot: (ast.Is,),
    ast.In: (ast.NotIn,), ast.NotIn: (ast.In,),
    ast.Add: (ast.Sub,), ast.Sub: (ast.Add,), ast.Mult: (ast.FloorDiv,), ast.Div: (ast.Mult,),
    ast.FloorDiv: (ast.Mult,), ast.Mod: (ast.FloorDiv,), ast.BitOr: (ast.BitAnd,),
    ast.BitAnd: (ast.BitOr,), ast.And: (ast.Or,), ast.Or: (ast.And,),
}  # fmt: skip
OTHER_NAMES = {"min": "max", "max": "min", "any": "all", "all": "any"}
MOST_SHOWN = 70  # characters of a statement, in a key
Kind = Literal["code", "default", "constant"]


@dataclass(frozen=True)
class Mutant:
    """One change of one module; `key` names it, and stays as long as its statement does."""

    key: str
    kind: Kind
    function: tuple[str, int]  # the outermost function: its qualified name, its first line
    lines: range  # of the changed expression
    statement: range  # of the statement around it, without the statements inside
    replace: Callable[[], Callable[[], None]]  # changes the tree; the result undoes it
    value: Any = None  # kind "default" or "constant": the new value
    name: str = ""  # the same: the parameter or the constant


def mutants(tree: ast.Module) -> Iterator[Mutant]:
    """Yield each change of a function's body, of a default and of a module's constant."""
    counts: Counter[str] = Counter()
    for mutant in _in_scope(tree.body, ""):
        counts[mutant.key] += 1
        if (n := counts[mutant.key]) > 1:
            mutant = Mutant(**{**vars(mutant), "key": f"{mutant.key} (no. {n})"})
        yield mutant


def _in_scope(body: list[ast.stmt], prefix: str) -> Iterator[Mutant]:
    for statement in body:
        if isinstance(statement, ast.ClassDef):
            yield from _in_scope(statement.body, f"{prefix}{statement.name}.")
        elif isinstance(statement, FUNCTIONS):
            yield from _in_function(statement, prefix + statement.name)
        elif not prefix and isinstance(statement, ast.Assign | ast.AnnAssign):
            target = statement.target if isinstance(statement, ast.AnnAssign) else None
            name = target or statement.targets[0]  # type: ignore[union-attr]
            if isinstance(name, ast.Name) and isinstance(statement.value, ast.Constant):
                for value in _other_values(statement.value.value):
                    yield _of_value("constant", statement.value, ("", 0), value, name.id)


def _in_function(function: Any, qualname: str) -> Iterator[Mutant]:
    first = min([function.lineno, *(d.lineno for d in function.decorator_list)])
    place = (qualname, first)
    arguments = function.args
    positional = arguments.posonlyargs + arguments.args
    defaults = list(zip(positional[::-1], arguments.defaults[::-1], strict=False))
    for argument, default in [
        *defaults,
        *zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True),
    ]:
        if isinstance(default, ast.Constant):
            lines = range(function.lineno + 1, function.end_lineno + 1)
            for value in _other_values(default.value):
                yield _of_value("default", default, place, value, argument.arg, lines)
    for statement, holder, n in _statements(function):
        header = _header(statement)
        for node, change, after in _changes(statement, holder, n):
            before = _short(node) if node is not statement else "the statement"
            text = _short(statement)
            start = node.lineno if hasattr(node, "lineno") else header.start
            end = getattr(node, "end_lineno", None) or start
            lines = range(start, end + 1) if node is not statement else header
            yield Mutant(
                f"{qualname}: {text} :: {before} -> {after}", "code", place, lines, header, change
            )


def _short(node: ast.AST) -> str:
    text = ast.unparse(node).splitlines()[0]
    return text if len(text) <= MOST_SHOWN else f"{text[:MOST_SHOWN]}…"


def _of_value(
    kind: Kind,
    node: ast.Constant,
    place: tuple[str, int],
    value: Any,
    name: str,
    lines: range | None = None,
) -> Mutant:
    lines = lines or range(node.lineno, node.lineno + 1)
    key = f"{place[0] or 'module'}: {name} = {node.value!r} -> {value!r}"
    return Mutant(key, kind, place, lines, lines, lambda: lambda: None, value, name)


def _statements(function: ast.AST) -> Iterator[tuple[ast.stmt, list[Any], int]]:
    """All statements of a function, those of functions inside it too, without docstrings."""
    for node in ast.walk(function):
        for field in ("body", "orelse", "finalbody"):
            holder = getattr(node, field, None)
            for n, statement in enumerate(holder if isinstance(holder, list) else ()):
                if isinstance(statement, ast.Assert):
                    continue  # it is there for the type checker
                if isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant):
                    continue
                yield statement, holder, n  # type: ignore[misc]


def _header(statement: ast.stmt) -> range:
    """The lines of a statement, up to the first statement inside it."""
    inner = getattr(statement, "body", None)
    end = inner[0].lineno - 1 if isinstance(inner, list) and inner else statement.end_lineno
    return range(statement.lineno, max(statement.lineno, end or 0) + 1)


Change = tuple[ast.AST, Callable[[], Callable[[], None]], str]


def _changes(statement: ast.stmt, holder: list[Any], n: int) -> Iterator[Change]:
    gone = ast.copy_location(ast.Pass(), statement)
    match statement:
        case ast.Expr(value=ast.Call()) | ast.Delete() | ast.Return(value=None):
            yield statement, _put(holder, n, gone), "removed"
        case ast.Assign(targets=[ast.Attribute() | ast.Subscript(), *_]):
            yield statement, _put(holder, n, gone), "removed"
        case ast.AugAssign():
            yield statement, _put(holder, n, gone), "removed"
            for other_op in OTHER_OPERATORS.get(type(statement.op), ()):
                yield statement, _put(statement, "op", other_op()), other_op.__name__
        case ast.Break() | ast.Continue():
            yield statement, _put(holder, n, gone), "removed"
            other = ast.Continue() if isinstance(statement, ast.Break) else ast.Break()
            yield statement, _put(holder, n, ast.copy_location(other, statement)), "the other"
        case ast.Return(value=value) if not isinstance(value, ast.Constant):
            none = ast.copy_location(ast.Constant(None), value)  # type: ignore[arg-type]
            yield value, _put(statement, "value", none), "None"  # type: ignore[misc]
        case ast.If(test=test) | ast.While(test=test):
            if not isinstance(test, ast.Compare | ast.Constant):
                yield test, _put(statement, "test", _negated(test)), "not"
    yield from _in_expression(statement)


def _in_expression(node: ast.AST) -> Iterator[Change]:
    for field, value in ast.iter_fields(node):
        if field in NOT_CODE and not isinstance(node, ast.Call):
            continue
        holder = value if isinstance(value, list) else None
        for key, child in enumerate(holder) if holder is not None else ((field, value),):
            if isinstance(child, ast.stmt | ast.arguments | ast.match_case | ast.JoinedStr):
                continue
            if isinstance(child, ast.AST):
                into = node if holder is None else holder
                yield from _of_node(child, into, key)
                yield from _in_expression(child)


def _of_node(node: ast.AST, holder: Any, key: Any) -> Iterator[Change]:
    match node:
        case ast.Compare(ops=ops):
            for n, op in enumerate(ops):
                for other in OTHER_OPERATORS.get(type(op), ()):
                    yield node, _put(ops, n, other()), other.__name__
        case ast.BinOp(op=op) | ast.BoolOp(op=op):
            for other in OTHER_OPERATORS.get(type(op), ()):
                yield node, _put(node, "op", other()), other.__name__
            if isinstance(node, ast.BoolOp):
                for n, value in enumerate(node.values):
                    rest = node.values[:n] + node.values[n + 1 :]
                    left = ast.copy_location(ast.BoolOp(node.op, rest), node)
                    yield (
                        node,
                        _put(holder, key, left if len(rest) > 1 else rest[0]),
                        f"without {ast.unparse(value)}",
                    )
        case ast.UnaryOp(op=ast.Not() | ast.USub(), operand=operand):
            yield node, _put(holder, key, operand), ast.unparse(operand)
        case ast.IfExp(test=test) if not isinstance(test, ast.Compare):
            yield test, _put(node, "test", _negated(test)), "not"
        case ast.comprehension(ifs=ifs):
            for n, test in enumerate(ifs):
                true = ast.copy_location(ast.Constant(True), test)
                yield test, _put(ifs, n, true), "True"
        case ast.Call(func=ast.Name(id=name)) if name in OTHER_NAMES:
            other_name = ast.copy_location(ast.Name(OTHER_NAMES[name], ast.Load()), node.func)
            yield node, _put(node, "func", other_name), OTHER_NAMES[name]
        case ast.Constant(value=value):
            for other_value in _other_values(value):
                constant = ast.copy_location(ast.Constant(other_value), node)
                yield node, _put(holder, key, constant), repr(other_value)


def _other_values(value: Any) -> list[Any]:
    if isinstance(value, bool):
        return [not value]
    if isinstance(value, int | float):
        return [value + 1]
    if isinstance(value, str):
        return ["" if value else "x"]
    return []


def _negated(test: ast.expr) -> ast.expr:
    return ast.copy_location(ast.UnaryOp(ast.Not(), test), test)


def _put(holder: Any, key: Any, new: ast.AST) -> Callable[[], Callable[[], None]]:
    """Return a function that puts `new` there; what it returns puts the old node back."""

    def store(node: Any) -> None:
        if isinstance(key, str):
            setattr(holder, key, node)
        else:
            holder[key] = node

    def put() -> Callable[[], None]:
        old = getattr(holder, key) if isinstance(key, str) else holder[key]
        store(new)
        return lambda: store(old)

    return put
