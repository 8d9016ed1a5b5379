"""One call of a target with one input: how it ended, and whether that is a finding."""

import re
import traceback
from pathlib import Path

from msgspec import Struct

from tests.fuzz.target import Call, Target
from tests.fuzz.watch import CPU_S, WALL_S, Hang, cpu_s, set_limits

_VALUES = re.compile(r"""'(?:[^'\\]|\\.)*(?:'|…|$)|"(?:[^"\\]|\\.)*(?:"|…|$)|[\d.,:+-]+""")
OUTCOME_CHARS = 120


class Ended(Struct, frozen=True):
    """How a call ended. `wrong` is the finding in one line, "" if the call is as it should be."""

    outcome: str
    seconds: float
    wrong: str = ""
    details: str = ""


def attempt(call: Call, target: Target, data: bytes, slower: int = 1) -> Ended:
    """Call the target once; it may take `slower` times as long."""
    begun = cpu_s()
    wrong = details = ""
    set_limits(2 * CPU_S * slower, WALL_S * slower)
    try:
        outcome = call(data)
    except target.refusals as refusal:
        outcome = f"{type(refusal).__name__}: {without_values(str(refusal)[:300])}"
        if "\n" in str(refusal):
            wrong = f"{type(refusal).__name__} with more than one line"
    except Hang as hang:
        outcome = wrong = f"hang: {hang} in {_place(hang)}"
        details = traceback.format_exc(limit=-8)
    except Exception as error:
        outcome = wrong = f"{type(error).__name__} in {_place(error)}"
        details = traceback.format_exc(limit=-8)
    finally:
        set_limits(0, 0)
    return Ended(outcome[:OUTCOME_CHARS], cpu_s() - begun, wrong, details)


def without_values(text: str) -> str:
    """Return what an error says without what it quotes and counts."""
    return _VALUES.sub("…", text)


def is_slow(call: Call, target: Target, data: bytes, ended: Ended) -> bool:
    """True if the call took too long, and again when it is repeated."""
    return ended.seconds > CPU_S and all(
        attempt(call, target, data).seconds > CPU_S for _ in range(2)
    )


def _place(error: BaseException) -> str:
    frames = traceback.extract_tb(error.__traceback__)
    ours = [frame for frame in frames if "/beatd/" in frame.filename]
    frame = (ours or frames)[-1]
    return f"{Path(frame.filename).name}:{frame.name}"
