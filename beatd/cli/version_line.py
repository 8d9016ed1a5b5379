"""The line of `beatd status` about the versions of the daemons."""

from collections.abc import Iterator, Sequence
from typing import Any


def version_line(daemons: Sequence[dict[str, Any]]) -> Iterator[tuple[str, str, str]]:
    """Yield a line with the version of beatd that the daemons run.

    A daemon of an older beatd does not say its version. If no daemon does, there is no line.
    """
    versions = {one["version"] for one in daemons}
    if len(versions) > 1:
        each = ", ".join(f"{one['name']} {one['version'] or 'an older one'}" for one in daemons)
        number = "two" if len(versions) == 2 else str(len(versions))
        yield "version", f"{number} at once: {each}; restart them after an upgrade", "yellow"
    elif any(versions):
        yield "version", f"beatd {versions.pop()}", ""
