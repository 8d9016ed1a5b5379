"""What is printed of a life that breaks a promise: the shortest one that still does, as a story."""

import tempfile
from collections.abc import Callable
from pathlib import Path

from tests.simulation.course import Course
from tests.simulation.shrink_life import TRIES_MAX, shrunk
from tests.simulation.story import story

STORIES_MAX = 3  # the others are named only
KEPT_IN = Path(tempfile.gettempdir()) / "beatd-simulation"


def failure(
    seed: int,
    *,
    overlap: bool,
    seconds: float,
    planted: str = "",
    tries_max: int = TRIES_MAX,
    course: Callable[[], Course] = Course,
) -> list[str]:
    """Shrink the life of a seed, write what is left of it into a file, and return its story."""
    found = shrunk(
        seed,
        overlap=overlap,
        needs=planted,
        tries_max=tries_max,
        seconds_max=seconds,
        course=course(),
    )
    plant = f" --plant '{planted}'" if planted else ""
    if found is None:
        return [f"again: python -m tests.simulation --from {seed} --trace{plant}"]
    path = KEPT_IN / f"seed-{seed}.json"
    found.script.write(path)
    again = f"python -m tests.simulation --seeds 1 --from {seed} --decisions {path}{plant}"
    return story(found.script, again, found.faults_before)
