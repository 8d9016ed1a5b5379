"""What breaks, when and for how long: drawn from a seed, so that a run can be repeated."""

import random
from collections.abc import Sequence

from msgspec import Struct

DAEMONS = ("leader", "standby")
DELAY_S = (0.005, 0.3)
# How long each kind lasts. A daemon or server that is killed is started again after that time.
LASTS_S = {
    "kill": (0.0, 3.0),
    "restart": (0.0, 0.5),
    "freeze": (0.1, 6.0),
    "cut": (0.1, 6.0),
    "delay": (2.0, 6.0),
    "busy": (0.1, 6.0),
    "mute": (0.1, 6.0),
    "stutter": (1.0, 6.0),
    "slow disk": (1.0, 6.0),
    "full disk": (2.0, 8.0),
    "memory": (0.5, 5.0),
    "clock": (2.0, 6.0),
    "fail over": (0.0, 0.0),
}
OF_SERVER = ("kill", "restart", "freeze", "cut", "delay")
OF_DAEMON = ("kill", "restart", "freeze")
OF_FILE = ("busy",)
MOST_A_MINUTE = 30  # each is followed by two seconds on time
CABLE = ("cut", "delay", "mute")
STEPS_S = (-3600.0, -2.0, 2.0, 3600.0)  # of a daemon's wall clock
# Around the whole second: a claim and its message take a few milliseconds from there.
OFFSET_S = (-0.002, 0.010)


class Fault(Struct, frozen=True, kw_only=True):
    kind: str
    target: str  # a server by its name, `file`, `master`, `leader` or `standby`
    lasts_s: float
    offset_s: float  # from a whole second
    # Of a cut, a delay or a mute cable: whether only the leader's cable to the server is concerned.
    leader_only: bool = False
    there_s: float = 0.0
    back_s: float = 0.0
    step_s: float = 0.0  # of a clock

    @property
    def name(self) -> str:
        return f"{self.kind} {self.target}"

    @property
    def at_second(self) -> bool:
        return OFFSET_S[0] <= self.offset_s <= OFFSET_S[1]

    def __str__(self) -> str:
        whose = " (leader's cable)" if self.leader_only else ""
        delays = ""
        if self.kind == "delay":
            delays = f", {self.there_s * 1000:.0f} ms there, {self.back_s * 1000:.0f} ms back"
        if self.kind == "clock":
            delays = f", by {self.step_s:+.0f} s"
        when = f"{self.offset_s * 1000:+.0f} ms from a second"
        return f"{self.name}{whose} for {self.lasts_s:.1f} s{delays}, {when}"


def usual(servers: Sequence[str], *, file: bool) -> list[tuple[str, str]]:
    """Return the kinds of fault with their targets that need no program and no rights."""
    choices = [(kind, server) for server in servers for kind in OF_SERVER]
    choices += [(kind, daemon) for daemon in DAEMONS for kind in OF_DAEMON]
    return choices + [(kind, "file") for kind in OF_FILE if file]


def schedule(seed: str, count: int, kinds: Sequence[tuple[str, str]]) -> list[Fault]:
    """Return `count` faults, half of them at a whole second; each kind on each target in turn."""
    draw = random.Random(seed)
    choices = list(kinds)
    at_second = [number % 2 == 0 for number in range(count)]
    draw.shuffle(at_second)
    faults: list[Fault] = []
    while len(faults) < count:
        draw.shuffle(choices)
        some = choices[: count - len(faults)]
        faults += [
            _drawn(draw, *choice, at_second[len(faults) + n]) for n, choice in enumerate(some)
        ]
    return faults


def _drawn(draw: random.Random, kind: str, target: str, at_second: bool) -> Fault:
    shortest, longest = LASTS_S[kind]
    cable = kind in CABLE
    directions = draw.choice(("there", "back", "both")) if kind == "delay" else ""
    there, back = draw.uniform(*DELAY_S), draw.uniform(*DELAY_S)
    return Fault(
        kind=kind,
        target=target,
        # Squared: short ones, which time-outs do not notice, are as likely as long ones.
        lasts_s=shortest + draw.random() ** 2 * (longest - shortest),
        offset_s=draw.uniform(*OFFSET_S) if at_second else draw.uniform(0.05, 0.95),
        leader_only=cable and draw.random() < 0.5,
        there_s=there if directions in ("there", "both") else 0.0,
        back_s=back if directions in ("back", "both") else 0.0,
        step_s=draw.choice(STEPS_S) if kind == "clock" else 0.0,
    )
