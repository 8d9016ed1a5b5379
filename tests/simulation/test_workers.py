"""What frees an entry whose run does not end as it should, in simulated time."""

import random
from itertools import pairwise

import pytest

from beatd.definition import entry_from
from beatd.edits import editing
from tests.simulation.deployment import Deployment
from tests.simulation.faults import NoFaults
from tests.simulation.workers import Workers
from tests.simulation.world import Host

SILENCE_S = 30.0  # after which a run that no worker names is lost
A_BIT_S = 2.5  # to notice it and to run the next one
RULES = pytest.mark.parametrize("rule", ["skip", "queue"])
PATHS = pytest.mark.parametrize("one_redis", [False, True], ids=["in steps", "at once"])


def world_with(rule: str, one_redis: bool, workers: int = 1, lasts: float = 0.5) -> Deployment:
    """One entry each second whose runs last `lasts`, and one daemon."""
    deployment = Deployment(
        NoFaults(),
        one_redis=one_redis,
        workers=lambda world, overlaps: Workers(
            world, overlaps, random.Random(0), lasts=lambda run: lasts
        ),
    )
    plain = {"task": "t", "every": "1s", "overlap": rule, "max_run": "20s"}
    editing.add(deployment.truth.store, entry_from("alone", plain), deployment.now)
    deployment.start(Host("a"))
    assert deployment.workers is not None
    for _ in range(workers):
        deployment.workers.start()
    return deployment


def began(deployment: Deployment) -> list[float]:
    start = deployment.world.now().timestamp() - deployment.world.elapsed()
    lines = deployment.truth.store.history("alone", None)
    return sorted(line.published.timestamp() - start for line in lines if line.published)


@PATHS
@RULES
def test_the_death_of_a_worker_frees_the_entry_within_half_a_minute(
    rule: str, one_redis: bool
) -> None:
    deployment = world_with(rule, one_redis, lasts=100.0)
    workers, world = deployment.workers, deployment.world
    assert workers is not None
    world.run(25.0)
    assert len(began(deployment)) == 1, "the run goes on, beyond its max_run"
    died_at = world.elapsed()
    workers.die(workers.alive[0])
    workers.start()
    world.run(died_at + SILENCE_S + A_BIT_S)
    again = began(deployment)[1:]
    world.end()
    assert len(again) == 1 and died_at + SILENCE_S - 10 < again[0]


@PATHS
@RULES
def test_a_run_that_no_worker_took_frees_the_entry_after_max_run(
    rule: str, one_redis: bool
) -> None:
    deployment = world_with(rule, one_redis, workers=0)
    deployment.world.run(45.0)
    times = began(deployment)
    deployment.world.end()
    assert len(times) == 3
    assert all(19.9 < later - before < 21.1 for before, later in pairwise(times))


@PATHS
@RULES
def test_runs_follow_each_other_and_never_meet(rule: str, one_redis: bool) -> None:
    deployment = world_with(rule, one_redis, lasts=2.3)
    deployment.world.run(30.0)
    times = began(deployment)
    deployment.world.end()
    assert 9 <= len(times) <= (10 if rule == "skip" else 12)


def test_replace_ends_each_run_when_the_next_one_is_due() -> None:
    deployment = world_with("replace", one_redis=False, lasts=2.3)
    deployment.world.run(20.0)
    times = began(deployment)
    deployment.world.end()
    assert len(times) >= 12, "each is revoked after a second, and its end is reported"
    assert deployment.world.seen["a run was revoked"] >= 10
