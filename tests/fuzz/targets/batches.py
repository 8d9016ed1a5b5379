"""Read a store in which each input of a batch damaged what belongs to its own entries."""

import re
from collections.abc import Collection, Mapping
from typing import Any

from beatd.errors import BeatError, StoreError
from tests.fuzz.targets.reading import NAMES, reads, writes

_OF_ENTRY = re.compile(r"(\w+)(?: of |:)(.+)")
OF_ENTRY = frozenset({"history", "page", "incidents", "changes", "mark", "run", "outcome"})


def names_of(number: int) -> list[str]:
    """Return the entries that belong to an input of a batch."""
    return [f"{name}{number:02}" for name in NAMES]


def read_many(
    store: Any, damaged: Mapping[str, Collection[str]], times: int, *, all_of_each: bool
) -> None:
    """Read and write all that is read as a whole, and what is about one entry.

    `damaged` has the entries, and which of `OF_ENTRY` are called for each unless all of them are. A
    refusal of what is read as a whole is raised, because that read did not reach the other inputs.
    """
    names = sorted(damaged)
    for calls in (reads, writes):
        for label, call in calls(store, names, times):
            of_entry = _OF_ENTRY.fullmatch(label)
            if of_entry is not None and not all_of_each and of_entry[1] not in damaged[of_entry[2]]:
                continue
            try:
                call()
            except (BeatError, AssertionError) as error:
                if of_entry is None:
                    raise StoreError(f"{label} did not reach all: {type(error).__name__}") from None
