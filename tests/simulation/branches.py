"""How often each branch of the engine, the dispatches and the loops around them is taken.

The functions get code of their own that counts: a trace function would be too slow for all lives.
"""

import ast
import gc
import inspect
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import CodeType, FunctionType

import beatd
import beatd.daemon.campaign
import beatd.daemon.housekeeping
import beatd.daemon.loop
import beatd.daemon.store_clock

ROOT = Path(beatd.__file__).parent
WATCHED = (
    "engine/*.py",
    "dispatches/*.py",
    "daemon/campaign.py",
    "daemon/housekeeping.py",
    "daemon/loop.py",
    "daemon/store_clock.py",
)
COUNTS = "__branches__"
TEXT_MAX = 70

_names: list[str] = []
_counts: list[int] = []


@contextmanager
def counted() -> Iterator[None]:
    """Count branches in this process, and in those that it forks."""
    before: list[tuple[FunctionType, CodeType]] = []
    codes: dict[tuple[str, str, int], CodeType] = {}
    for path in watched():
        codes |= counting(path)
    functions = [one for one in gc.get_objects() if isinstance(one, FunctionType)]
    for function in functions:
        old = function.__code__
        new = codes.get((old.co_filename, old.co_qualname, old.co_firstlineno))
        if new is not None and new.co_freevars == old.co_freevars:
            before.append((function, old))
            function.__code__ = new
            function.__globals__[COUNTS] = _counts
    taken()
    try:
        yield
    finally:
        for function, old in before:
            function.__code__ = old
        _names.clear()
        _counts.clear()


def taken() -> Counter[str]:
    """Return how often each branch was taken since this was last asked."""
    counts = Counter(dict(zip(_names, _counts, strict=True)))
    _counts[:] = [0] * len(_counts)
    return counts


def watched() -> list[Path]:
    return sorted(path for pattern in WATCHED for path in ROOT.glob(pattern))


def counting(path: Path) -> dict[tuple[str, str, int], CodeType]:
    """Return the code of a file's functions with a count in each branch."""
    tree = Numbers(path).visit(ast.parse(path.read_text()))
    module = compile(ast.fix_missing_locations(tree), str(path), "exec", dont_inherit=True)
    return {(str(path), code.co_qualname, code.co_firstlineno): code for code in inside(module)}


def inside(code: CodeType) -> Iterator[CodeType]:
    for one in code.co_consts:
        if inspect.iscode(one):
            yield one
            yield from inside(one)


class Numbers(ast.NodeTransformer):
    """Puts a count into each function, arm of an `if`, loop, case and handler of a file."""

    def __init__(self, path: Path) -> None:
        self._file = str(path.relative_to(ROOT).with_suffix("")).replace("/", ".")
        self._within: list[str] = []
        self._same: Counter[str] = Counter()

    def _count(self, branch: str, at: ast.AST) -> ast.stmt:
        text = f"{self._file} {'.'.join(self._within)}: {branch}"
        self._same[text] += 1  # of two branches that read the same, the later is #2
        _names.append(text if self._same[text] == 1 else f"{text} #{self._same[text]}")
        _counts.append(0)
        (count,) = ast.parse(f"{COUNTS}[{len(_names) - 1}] += 1").body
        return ast.copy_location(count, at)

    def _text(self, node: ast.AST) -> str:
        text = " ".join(ast.unparse(node).split())
        return text if len(text) <= TEXT_MAX else f"{text[:TEXT_MAX]}…"

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.AST:
        self._within.append(node.name)
        self.generic_visit(node)
        self._within.pop()
        return node

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        if len(node.body) == 1 and isinstance(node.body[0], ast.Expr):
            return node  # of a protocol
        self._within.append(node.name)
        count = self._count("called", node.body[0])
        self.generic_visit(node)
        has_text = ast.get_docstring(node) is not None
        node.body.insert(int(has_text), count)
        self._within.pop()
        return node

    def visit_If(self, node: ast.If) -> ast.AST:
        test = self._text(node.test)
        yes, no = self._count(f"if {test}", node), self._count(f"not {test}", node)
        self.generic_visit(node)
        node.body.insert(0, yes)
        node.orelse.insert(0, no)
        return node

    def visit_While(self, node: ast.While) -> ast.AST:
        return self._loop(node, f"while {self._text(node.test)}")

    def visit_For(self, node: ast.For) -> ast.AST:
        return self._loop(node, f"for {self._text(node.target)} in {self._text(node.iter)}")

    def _loop(self, node: ast.While | ast.For, branch: str) -> ast.AST:
        count = self._count(branch, node)
        self.generic_visit(node)
        node.body.insert(0, count)
        return node

    def visit_ExceptHandler(self, node: ast.ExceptHandler) -> ast.AST:
        count = self._count(f"except {self._text(node.type) if node.type else ''}", node)
        self.generic_visit(node)
        node.body.insert(0, count)
        return node

    def visit_match_case(self, node: ast.match_case) -> ast.AST:
        count = self._count(f"case {self._text(node.pattern)}", node.body[0])
        self.generic_visit(node)
        node.body.insert(0, count)
        return node

    def visit_IfExp(self, node: ast.IfExp) -> ast.AST:
        test = self._text(node.test)
        yes, no = self._count(f"? {test}", node), self._count(f"?not {test}", node)
        self.generic_visit(node)
        node.body, node.orelse = counted_value(yes, node.body), counted_value(no, node.orelse)
        return node


def counted_value(count: ast.stmt, value: ast.expr) -> ast.expr:
    """Return `value`, counted: an expression has no place for a statement."""
    assert isinstance(count, ast.AugAssign)
    place = ast.unparse(count.target)
    call = ast.parse(f"{COUNTS}.__setitem__({place[len(COUNTS) + 1 : -1]}, {place} + 1)").body[0]
    assert isinstance(call, ast.Expr)
    either = ast.BoolOp(ast.Or(), [ast.copy_location(call.value, value), value])
    return ast.copy_location(either, value)
