"""The mutants that lived and that somebody has read, with the reason: `lived.txt`.

A line `== FILE` names the module. Below it each mutant has a line with its key, and an indented
line `KIND: reason`. KIND is `equal` (no test can see a difference), `speed` (only the time or the
number of calls differs), `text` (only the words of a message differ) or `far` (the difference
needs what these tests leave out: servers, processes, real time).
"""

from pathlib import Path

FILE = Path(__file__).with_suffix(".txt")
KINDS = ("equal", "speed", "text", "far")


def read_lived(text: str) -> dict[tuple[str, str], str]:
    """Return the kind of each mutant, by module and key; raise ValueError for another line."""
    kinds: dict[tuple[str, str], str] = {}
    module = key = ""
    for line in text.splitlines():
        if line.startswith("== "):
            module = line.removeprefix("== ")
        elif line.startswith("    "):
            kind = line.strip().partition(":")[0]
            if kind not in KINDS or not key:
                raise ValueError(f"not KIND: reason, or without a mutant: {line!r}")
            kinds[module, key] = kind
            key = ""
        elif line and not line.startswith("#"):
            key = line
    return kinds
