"""The interface of a target: a function of the product that reads bytes which others wrote."""

import random
from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager
from pathlib import Path

from msgspec import Struct

from beatd.errors import BeatError

Call = Callable[[bytes], str]
#: Takes many inputs at once and returns those that have to be called alone.
CallMany = Callable[[Sequence[bytes]], Sequence[bytes]]


class Target(Struct, frozen=True, kw_only=True):
    """What is called with each input, and which inputs are the first ones.

    `opened` gets a directory of its own and returns a context with the function. The function
    returns a short text that differs when the product did something else, such as "published"; it
    may only raise `refusals`. `words` are put into inputs. `weight` is how many times less inputs
    a short run gives it, because each call is slow.

    `made` makes an input where few inputs made by `Mutator` change anything. `opened_many` is like
    `opened`, with a function that takes up to `many` inputs at once: each damages rows of its own
    in one store, and all rows are then read together.
    """

    name: str
    about: str
    seeds: Callable[[], Iterable[bytes]]
    opened: Callable[[Path], AbstractContextManager[Call]]
    words: tuple[str, ...] = ()
    refusals: tuple[type[Exception], ...] = (BeatError,)
    weight: int = 1
    made: Callable[[random.Random], bytes] | None = None
    opened_many: Callable[[Path], AbstractContextManager[CallMany]] | None = None
    many: int = 100
