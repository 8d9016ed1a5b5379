"""The text in which SQL finds the tasks of an entry.

The text of an entry that runs one task is the task's name. The text of a canvas has the name of
each of its tasks on a line of its own, between two newlines.
"""

from beatd.canvas import task_names
from beatd.entry import Entry

LONGEST_TEXT = 15_000  # characters; the column of MariaDB has 65,535 bytes


def searched_text(entry: Entry) -> str:
    """Return the text for the column `task` of an entry; it begins with a newline for a canvas."""
    if entry.canvas is None:
        return entry.task
    text = "\n"
    for name in task_names(entry):
        if len(text) + len(name) < LONGEST_TEXT:
            text += f"{name}\n"
    return text


def inside_canvas(pattern: str) -> str:
    """Return the shell pattern that finds a task, given as a shell pattern, in a canvas's text."""
    return f"*\n{pattern}\n*"
