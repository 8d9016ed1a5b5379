"""Select the names of entries that are in the store."""

from collections.abc import Iterable, Iterator

from beatd.catalog import EntryFinder
from beatd.edits.editing import in_batches

NAMES_PER_BATCH = 20


def stored_names(catalog: EntryFinder, names: Iterable[str]) -> Iterator[str]:
    """Yield each of the given names that an entry in the store has, in the given order.

    History and outcomes keep the names of removed entries. The store is read only as far as the
    caller reads on.
    """
    for batch in in_batches(names, NAMES_PER_BATCH):
        there = catalog.existing(batch)
        yield from (name for name in batch if name in there)
