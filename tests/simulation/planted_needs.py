"""What the lives need in which a planted bug can show: with it, the first few dozen seeds do.

A bug that is not named here shows in ordinary lives.
"""

from tests.simulation.bias import Bias

IN_PARTS = Bias(
    schedules=[{"every": "1s", "task": "group"}], rates={"unsent": 0.1, "rejected": 0.0}
)
TWO_VERSIONS = Bias(versions=True)
# The older and the newer daemon lead in turn.
LED_IN_TURN = Bias(
    versions=True,
    nature=("stop", "wipe"),
    wishes=("args",),
    rates=dict.fromkeys(("crash", "freeze", "slow", "error", "lost"), 0.0),
)
ALERTS = Bias(overlap=True, alerts=True)
NEEDS = {
    "a new leader does not look for open incidents": ALERTS,
    "an incident opens again for the same failure": ALERTS,
    "what was sent is not noted": ALERTS,
    "a message is noted and not sent": ALERTS,
    "a message is not sent and not noted": ALERTS,
    "a success does not close an incident": ALERTS,
    "an older daemon plans again what a newer one planned": TWO_VERSIONS,
    "an older leader leaves no note of its rules": LED_IN_TURN,
    "a newer leader plans nothing again": LED_IN_TURN,
    "a newer leader notes its rules and plans nothing again": LED_IN_TURN,
    "an entry that cannot be read is removed": TWO_VERSIONS,
    "a program too old for the store keeps the lease": TWO_VERSIONS,
    "a part of a group counts as the whole": IN_PARTS,
    "a group that was sent in part counts as not sent": IN_PARTS,
    "a daemon forgets which parts of a group it sent": IN_PARTS,
    # Two backlogs of one entry at once, near its `max_runs`.
    "backlogs of one entry do not know of each other": Bias(
        schedules=[{"every": "200ms", "catch_up": "all", "catch_up_window": "60s", "max_runs": 12}],
        nature=("broker", "crash", "store", "wipe"),
        wishes=("remove", "add"),
    ),
    "the ledger does not compare the moment": Bias(stale=True),
    "a store that went back is not noticed": Bias(losses=True),
    "what a batch could not change counts as changed": Bias(batches=True),
    # A report that prolongs a run while the leader takes it for silent.
    "the ledger does not compare the running run": Bias(
        overlap=True, schedules=[{"every": "700ms", "max_run": "1s"}]
    ),
    "a run does not count as running when it is sent again": Bias(overlap=True),
    "the end of a run frees nobody": Bias(overlap=True),
    "a worker that is silent is never given up": Bias(overlap=True),
    "what a skipped moment would have run is not told": Bias(overlap=True),
    # An edit between the reading of a row and its claim.
    "the ledger does not compare the revision": Bias(wishes=("args",), edits_every_s=0.3),
    "messages go though their claims were refused": Bias(
        wishes=("args",), edits_every_s=0.3, one_redis=False
    ),
    "a step pushes what is not as it was seen": Bias(
        wishes=("args",), edits_every_s=0.3, one_redis=True
    ),
    "a plan is put however far the row has come": Bias(
        wishes=("when",), edits_every_s=0.3, schedules=[{"every": "200ms"}, {"every": "300ms"}]
    ),
    "what was prepared goes in the place of another batch": Bias(
        wishes=("args", "when"),
        edits_every_s=0.3,
        one_redis=False,
        rates=dict.fromkeys(("crash", "freeze", "slow", "error", "lost"), 0.0),
        nature=(),
    ),
    # Several faults of one claim.
    "every claim of a failed id counts as unsent": Bias(
        schedules=[
            {"every": every, "catch_up": "all", "catch_up_window": "60s"} for every in ("1s", "2s")
        ],
        rates={
            **dict.fromkeys(("crash", "freeze", "slow"), 0.0),
            **{"error": 0.1, "lost": 0.2, "unknown, arrived": 0.5},
        },
        wishes=("trigger",),
        nature=(),
        one_redis=False,
        losses=False,
        stale=False,
        batches=False,
    ),
    "what is not told in pushes is left out": Bias(one_redis=True),
    # Another server's clock that is behind, and replies so slow that they hide it.
    "all servers are thought to have one clock": Bias(
        has_clock=True, clock=("fail-over",), schedules=[{"every": "100ms"}], far=0.1
    ),
    # A process that is frozen for longer than its lease, while the clock is set back.
    "a new leader goes by an old clock": Bias(
        has_clock=True,
        clock=("clock, far",),
        nature=("freeze", "wipe"),
        schedules=[{"every": "200ms"}],
        rates={"freeze": 0.03, **dict.fromkeys(("crash", "slow", "error", "lost"), 0.0)},
    ),
    "a quicker reply does not set the clock": Bias(has_clock=True, far=0.1),
    "a difference of clocks is reported too small": Bias(has_clock=True, nature=()),
    "clocks are thought not to drift": Bias(has_clock=True),
    "a clock that was set back is not noticed": Bias(has_clock=True, clock=("clock",)),
}
