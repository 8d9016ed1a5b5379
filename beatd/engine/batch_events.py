"""Turn the result of publishing a batch of runs into events for the daemon's observers."""

from collections.abc import Iterator

from beatd.dispatch import Published
from beatd.events import Event, Refused, Sent, Skipped


def events_of(batch: Published) -> Iterator[Event]:
    """Yield the events that say which runs of a batch were skipped, refused and sent."""
    pairs = zip(batch.moves, batch.made, strict=True)
    skips = [(move.name, skip) for move, ok in pairs if move.skips and ok for skip in move.skips]
    if skips:
        yield Skipped(skips)
    if not all(batch.made):
        pairs = zip(batch.moves, batch.made, strict=True)
        yield Refused([move.name for move, ok in pairs if not ok])
    if batch.results:
        yield Sent.of(batch.results, batch.seconds)
