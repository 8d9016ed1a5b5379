"""The several messages of one run: which of them are still to be sent, and their one outcome."""

from collections.abc import Iterator, Sequence

from msgspec import Struct

from beatd.byte_cache import ByteCache
from beatd.publisher import Outcome
from beatd.publishers.message import CONFIRMED, Message

REMEMBERED_BYTES = 4 * 2**20  # one byte a message


def parts_of(made: Message | Outcome) -> Sequence[Message]:
    """Return all messages of a run: one of a task or chain, several of a group or chord."""
    return () if isinstance(made, Outcome) else (made, *made.rest)


class CanvasParts:
    """Remembers which messages of a group the broker has, so that only the others are sent again.

    A group too large for one attempt is so sent in several. The memory is limited; what is
    forgotten is sent again with the same ids.
    """

    def __init__(self) -> None:
        # By the id of the run's first message: for each message 1 if it is confirmed.
        self._confirmed = ByteCache[str, bytes](REMEMBERED_BYTES)

    def begin(self, rendered: Sequence[Message | Outcome]) -> "Attempt":
        """Return what is to be sent now of these runs."""
        return Attempt(self, rendered, [self._before(made) for made in rendered])

    def remember(self, made: Message, outcomes: Sequence[Outcome]) -> None:
        """Keep which messages of the run are confirmed, or nothing if the run is over."""
        kinds = {outcome.sent for outcome in outcomes}
        if "confirmed" in kinds and len(kinds) > 1 and "rejected" not in kinds:
            confirmed = bytes(outcome.sent == "confirmed" for outcome in outcomes)
            self._confirmed.keep(made.id, confirmed, len(confirmed) + 200)
        else:
            self._confirmed.drop([made.id])

    def _before(self, made: Message | Outcome) -> bytes:
        # b"" if nothing of the run was sent, or its entry has other messages now.
        if isinstance(made, Outcome) or not made.rest:
            return b""
        before = self._confirmed.get(made.id, b"")
        return before if len(before) == 1 + len(made.rest) else b""


class Attempt(Struct, frozen=True):
    """An attempt to send the messages of some runs.

    `confirmed` has for each run which of its messages the broker has from earlier attempts; b"" if
    none.
    """

    parts: CanvasParts
    rendered: Sequence[Message | Outcome]
    confirmed: Sequence[bytes]

    def messages(self) -> list[Message]:
        """Return all messages that the broker does not have yet, in order."""
        if not any(self.confirmed):
            return [part for made in self.rendered for part in parts_of(made)]
        return [
            part
            for made, before in zip(self.rendered, self.confirmed, strict=True)
            for place, part in enumerate(parts_of(made))
            if not (before and before[place])
        ]

    def outcomes(self, sent: Iterator[Outcome]) -> list[Outcome]:
        """Return the outcome of each run, from the outcomes of `messages`, in order."""
        return [
            self._outcome(made, before, sent)
            for made, before in zip(self.rendered, self.confirmed, strict=True)
        ]

    def _outcome(self, made: Message | Outcome, before: bytes, sent: Iterator[Outcome]) -> Outcome:
        if isinstance(made, Outcome):
            return made
        if not made.rest:
            return next(sent)
        outcomes = [
            CONFIRMED if before and before[place] else next(sent)
            for place in range(1 + len(made.rest))
        ]
        self.parts.remember(made, outcomes)
        return in_one(outcomes)


def in_one(outcomes: Sequence[Outcome]) -> Outcome:
    """Return the outcome of a run, from the outcomes of all its messages.

    A run of which only a part was sent is "rejected" if the broker will never take the rest, else
    "unknown": the rest is sent later with the same ids.
    """
    by_kind = {outcome.sent: outcome for outcome in reversed(outcomes)}
    if len(by_kind) == 1:
        return outcomes[0]
    confirmed = sum(outcome.sent == "confirmed" for outcome in outcomes)
    worst = by_kind.get("rejected") or by_kind.get("unknown") or by_kind["unsent"]
    text = f"{confirmed} of {len(outcomes)} messages were sent; {worst.reason}"
    return Outcome("rejected" if worst.sent == "rejected" else "unknown", text)
