"""The mutants that are made, how one takes the place of loaded code, and those that were read."""

import ast
import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

from beatd.schedules.zone import offsets
from tests.mutation.lines import ROOT
from tests.mutation.lived import FILE, read_lived
from tests.mutation.mutations import mutants
from tests.mutation.swap import caches, functions_of, swap

SOURCE = '''
LIMIT = 3

class Counter:
    def __init__(self):
        """Begin at zero."""
        self.n = 0

    def add(self, by=1, *, twice=False):
        if by < 0 or self.n >= LIMIT:
            return None
        self.n += by
        return [self.n for _ in range(2) if twice]

def last_below(values, most):
    found = None
    for value in values:
        if value > most:
            break
        found = value
    return max(found or 0, 0)
'''


def keys(source: str) -> list[str]:
    return [mutant.key for mutant in mutants(ast.parse(source))]


@pytest.mark.parametrize(
    "key",
    [
        "module: LIMIT = 3 -> 4",
        "Counter.__init__: self.n = 0 :: the statement -> removed",
        "Counter.__init__: self.n = 0 :: 0 -> 1",
        "Counter.add: by = 1 -> 2",
        "Counter.add: twice = False -> True",
        "Counter.add: if by < 0 or self.n >= LIMIT: :: by < 0 -> LtE",
        "Counter.add: if by < 0 or self.n >= LIMIT: :: by < 0 or self.n >= LIMIT -> And",
        "Counter.add: if by < 0 or self.n >= LIMIT: :: by < 0 or self.n >= LIMIT -> without by < 0",
        "Counter.add: if by < 0 or self.n >= LIMIT: :: by < 0 or self.n >= LIMIT -> not",
        "Counter.add: self.n += by :: the statement -> removed",
        "Counter.add: self.n += by :: the statement -> Sub",
        "Counter.add: return [self.n for _ in range(2) if twice] :: twice -> True",
        "last_below: break :: the statement -> the other",
        "last_below: return max(found or 0, 0) :: max(found or 0, 0) -> None",
        "last_below: return max(found or 0, 0) :: max(found or 0, 0) -> min",
        "last_below: return max(found or 0, 0) :: 0 -> 1 (no. 2)",
    ],
)
def test_a_change_of_each_kind_is_tried(key: str) -> None:
    assert key in keys(SOURCE)


def test_no_two_mutants_have_one_key_and_the_tree_stays_as_it_was() -> None:
    tree = ast.parse(SOURCE)
    found = list(mutants(tree))
    before = ast.unparse(tree)
    for mutant in found:
        mutant.replace()()
    assert len({mutant.key for mutant in found}) == len(found)
    assert ast.unparse(tree) == before


@pytest.fixture
def module(tmp_path: Path) -> ModuleType:
    path = tmp_path / "counter.py"
    path.write_text(SOURCE)
    spec = importlib.util.spec_from_file_location("counter", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def replaced(module: ModuleType, key: str) -> bool:
    path = Path(str(module.__file__))
    tree = ast.parse(path.read_text())
    mutant = next(mutant for mutant in mutants(tree) if mutant.key == key)
    return swap(mutant, tree, path, functions_of(path))


def test_functions_that_are_loaded_get_the_code_of_the_mutant(module: ModuleType) -> None:
    counter = module.Counter()
    assert replaced(module, "Counter.add: self.n += by :: the statement -> Sub")
    counter.add()
    assert counter.n == -1


def test_functions_that_are_loaded_get_the_default_of_the_mutant(module: ModuleType) -> None:
    assert replaced(module, "Counter.add: by = 1 -> 2")
    assert replaced(module, "Counter.add: twice = False -> True")
    assert module.Counter().add() == [2, 2]


def test_what_the_caches_of_beatd_keep_is_dropped() -> None:
    offsets("Europe/Berlin")
    for clear in caches():
        clear()
    assert offsets.cache_info().currsize == 0


def test_each_line_of_the_mutants_that_lived_has_a_reason() -> None:
    assert read_lived("# words\n== a.py\nf: x\n    equal: y\n") == {("a.py", "f: x"): "equal"}
    with pytest.raises(ValueError, match="KIND"):
        read_lived("== a.py\nf: x\n    because: y\n")


def test_each_mutant_that_was_read_can_still_be_made() -> None:
    read = read_lived(FILE.read_text())
    made = {path: set(keys((ROOT / path).read_text())) for path in {path for path, _ in read}}
    assert [key for path, key in read if key not in made[path]] == []
