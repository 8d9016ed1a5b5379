"""Repair entries of which the store lost a part: the next run or the definition."""

from collections.abc import Sequence

from msgspec.structs import replace

from beatd.catalog import Change, MissingPart, RepairableCatalog
from beatd.edits.editing import Now, in_batches
from beatd.edits.entry_change import added

MENDED_AT_ONCE = 50_000
ROUNDS_MAX = 100
NAMES_SHOWN_MAX = 5


def repair_entries(catalog: RepairableCatalog, now: Now, *, whole: bool) -> list[str]:
    """Repair entries of which the store lost a part, and return log lines about them.

    An entry without its next run gets a new one from now; its number of runs is lost. A next run
    without its entry is removed, so that a file or an app that declares the entry can add it again.
    If `whole` is False, the store may check only some entries until it finds a loss.
    """
    planned: list[str] = []
    removed: list[str] = []
    for _ in range(ROUNDS_MAX):
        done: list[Change] = []
        for parts in in_batches(catalog.missing_parts(MENDED_AT_ONCE, whole=whole)):
            changes = [_change(part, now) for part in parts]
            answers = catalog.write(changes)
            done += [change for change, ok in zip(changes, answers, strict=True) if ok]
        planned += [change.name for change in done if change.entry is not None]
        removed += [change.name for change in done if change.entry is None]
        if not done:
            break
        whole = True  # if some entries lost a part, others may have lost one too
    lines = []
    if len(planned) == 1:
        lines.append(
            f"{planned[0]} had lost its plan and was planned from now; how often it ran is lost"
        )
    elif planned:
        lines.append(
            f"{len(planned)} entries had lost their plans and were planned from now "
            f"({_named(planned)}); how often they ran is lost"
        )
    if len(removed) == 1:
        lines.append(
            f"{removed[0]} had lost its definition; if a file or an app declares it, it is applied "
            "again, otherwise it has to be added again"
        )
    elif removed:
        lines.append(
            f"{len(removed)} entries had lost their definitions ({_named(removed)}); what files "
            "and apps declare is applied again, others have to be added again"
        )
    return lines


def _change(part: MissingPart, now: Now) -> Change:
    if part.entry is None:
        return Change(part.name, 0, None)
    return replace(added(part.entry, now(), None), paused=part.paused)


def _named(names: Sequence[str]) -> str:
    more = len(names) - NAMES_SHOWN_MAX
    return ", ".join(sorted(names)[:NAMES_SHOWN_MAX]) + (f" and {more} more" if more > 0 else "")
