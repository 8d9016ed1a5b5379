"""A request waits while the beat works, but not for ever."""

import asyncio
from collections.abc import Iterator

import pytest

from beatd.web import give_way as module
from beatd.web.give_way import PAUSE_S, WAIT_MAX_S, give_way


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Return the pauses that were made; none of them takes time."""
    made: list[float] = []

    async def sleep(seconds: float) -> None:
        made.append(seconds)

    monkeypatch.setattr(module, "sleep", sleep)
    return made


def rests(*seconds: float) -> Iterator[float]:
    yield from seconds
    while True:
        yield seconds[-1]


def test_a_request_does_not_wait_while_the_beat_rests(pauses: list[float]) -> None:
    asyncio.run(give_way(lambda: 0.5))
    assert pauses == []


def test_a_request_waits_until_the_beat_has_worked(pauses: list[float]) -> None:
    answers = rests(0.015, 0.0, 0.0, 0.9)
    asyncio.run(give_way(lambda: next(answers)))
    assert pauses == [PAUSE_S] * 3


def test_a_beat_without_a_rest_delays_a_request_for_a_moment_only(pauses: list[float]) -> None:
    asyncio.run(give_way(lambda: 0.0))
    assert sum(pauses) == pytest.approx(WAIT_MAX_S)
