"""The interface of a target: a function of the product that reads bytes which others wrote."""

from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from pathlib import Path

from msgspec import Struct

from beatd.errors import BeatError

Call = Callable[[bytes], str]


class Target(Struct, frozen=True, kw_only=True):
    """What is called with each input, and which inputs are the first ones.

    `opened` gets a directory of its own and returns a context with the function. The function
    returns a short text that differs when the product did something else, such as "published"; it
    may only raise `refusals`. `words` are put into inputs. `weight` is how many times less inputs
    a short run gives it, because each call is slow.
    """

    name: str
    about: str
    seeds: Callable[[], Iterable[bytes]]
    opened: Callable[[Path], AbstractContextManager[Call]]
    words: tuple[str, ...] = ()
    refusals: tuple[type[Exception], ...] = (BeatError,)
    weight: int = 1
