"""A request waits while the beat works, but not for ever, and few requests run at a time."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import AsyncExitStack

import pytest

from beatd.web import give_way as module
from beatd.web.give_way import PAUSE_S, REQUESTS_AT_ONCE, WAIT_MAX_S, GiveWay


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Return the pauses that were made; only they let time pass."""
    made: list[float] = []

    async def sleep(seconds: float) -> None:
        made.append(seconds)

    monkeypatch.setattr(module, "sleep", sleep)
    monkeypatch.setattr(module, "monotonic", lambda: sum(made))
    return made


def rests(*seconds: float) -> Iterator[float]:
    yield from seconds
    while True:
        yield seconds[-1]


def answer_one(rests_for: Callable[[], float]) -> None:
    async def answered() -> None:
        async with GiveWay(rests_for).turn():
            pass

    asyncio.run(answered())


def test_a_request_does_not_wait_while_the_beat_rests(pauses: list[float]) -> None:
    answer_one(lambda: 0.5)
    assert pauses == []


def test_a_request_waits_until_the_beat_has_worked(pauses: list[float]) -> None:
    answers = rests(0.015, 0.0, 0.0, 0.9)
    answer_one(lambda: next(answers))
    assert pauses == [PAUSE_S] * 3


def test_a_beat_without_a_rest_delays_a_request_for_a_moment_only(pauses: list[float]) -> None:
    answer_one(lambda: 0.0)
    assert WAIT_MAX_S <= sum(pauses) <= WAIT_MAX_S + 2 * PAUSE_S


def test_one_request_more_waits_until_another_has_ended() -> None:
    async def flooded() -> tuple[bool, bool]:
        way = GiveWay(lambda: 0.5)
        async with AsyncExitStack() as others:
            for _ in range(REQUESTS_AT_ONCE):
                await others.enter_async_context(way.turn())
            begun = asyncio.Event()

            async def one_more() -> None:
                async with way.turn():
                    begun.set()

            task = asyncio.create_task(one_more())
            for _ in range(3):
                await asyncio.sleep(0)
            before = begun.is_set()
        await task
        return before, begun.is_set()

    assert asyncio.run(flooded()) == (False, True)
