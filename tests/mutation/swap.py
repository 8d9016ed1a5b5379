"""Put a mutant in the place of the code that this process has loaded."""

import ast
import gc
import sys
from collections import defaultdict
from collections.abc import Callable, Iterator
from functools import lru_cache
from pathlib import Path
from types import CodeType, FunctionType

from tests.mutation.mutations import Mutant

Functions = dict[tuple[str, int], list[FunctionType]]


def functions_of(path: Path) -> Functions:
    """The functions of a module that live in this process, by qualified name and first line."""
    found: Functions = defaultdict(list)
    for thing in gc.get_objects():
        if isinstance(thing, FunctionType) and thing.__code__.co_filename == str(path):
            found[thing.__code__.co_qualname, thing.__code__.co_firstlineno].append(thing)
    return found


def caches() -> list[Callable[[], None]]:
    """What empties each cache of beatd: tests may fill them while they are loaded."""
    kind = type(lru_cache(len))
    found = [thing for thing in gc.get_objects() if isinstance(thing, kind)]
    return [one.cache_clear for one in found if str(one.__module__).startswith("beatd")]


def swap(mutant: Mutant, tree: ast.Module, path: Path, functions: Functions) -> bool:
    """Replace the code, the default or the constant; return False if it cannot be replaced."""
    if mutant.kind == "constant":
        return _swap_constant(mutant, path)
    places = functions.get(mutant.function, [])
    if mutant.kind == "default":
        return all([_swap_default(function, mutant) for function in places]) and bool(places)
    undo = mutant.replace()
    try:
        module = compile(tree, str(path), "exec", dont_inherit=True)
    except (SyntaxError, ValueError):
        return False
    finally:
        undo()
    codes = [c for c in _codes(module) if (c.co_qualname, c.co_firstlineno) == mutant.function]
    try:
        for function in places:
            function.__code__ = codes[0]
    except (IndexError, ValueError):  # it needs other variables of the functions around it
        return False
    return bool(places)


def _codes(code: CodeType) -> Iterator[CodeType]:
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield constant
            yield from _codes(constant)


def _swap_default(function: FunctionType, mutant: Mutant) -> bool:
    if function.__kwdefaults__ and mutant.name in function.__kwdefaults__:
        function.__kwdefaults__[mutant.name] = mutant.value
        return True
    names = function.__code__.co_varnames[: function.__code__.co_argcount]
    defaults = list(function.__defaults__ or ())
    if mutant.name not in names[len(names) - len(defaults) :]:
        return False
    defaults[names.index(mutant.name) - len(names)] = mutant.value
    function.__defaults__ = tuple(defaults)
    return True


def _swap_constant(mutant: Mutant, path: Path) -> bool:
    """Give the constant its new value in the module and in all that have imported it."""
    own = [m for m in list(sys.modules.values()) if getattr(m, "__file__", None) == str(path)]
    if not own or mutant.name not in vars(own[0]):
        return False
    old = vars(own[0])[mutant.name]
    for module in list(sys.modules.values()):
        name = getattr(module, "__name__", "")
        is_ours = name.startswith(("beatd", "tests"))
        if is_ours and vars(module).get(mutant.name) is old:
            setattr(module, mutant.name, mutant.value)
    return True
