"""How many runs are sent at once."""

import pytest

from beatd.engine.batch_size import BatchSize, batches_of


@pytest.mark.parametrize(
    ("count", "seconds", "now"),
    [
        (100, 0.5, 100),  # a quarter of the ttl
        (100, 0.501, 50),
        (100, 0.25, 100),  # an eighth
        (100, 0.249, 200),
        (99, 0.249, 100),  # a batch that is not full shows nothing
        (60, 0.501, 30),
        (15, 0.501, 10),  # the smallest
        (400, 1.9, 100),  # four batches, each of less than a quarter
        (400, 2.004, 50),
        (301, 0.99, 200),
        (300, 0.99, 100),
    ],
)
def test_the_batches_follow_the_time_that_they_take(count: int, seconds: float, now: int) -> None:
    size = BatchSize(100, ttl=2.0)
    size._most = 1000
    size.learn(count, seconds)
    assert (size.now, size.rows_a_tick) == (now, 4 * now)


def test_no_batch_is_larger_than_the_limit() -> None:
    size = BatchSize(100, ttl=2.0)
    size.learn(100, 1.9)
    assert size.now == 50
    size.learn(50, 0.1)
    size.learn(100, 0.1)
    assert size.now == 100


@pytest.mark.parametrize(
    ("size", "first", "lengths"),
    [(8, 2, [2, 4, 8, 6]), (3, 2, [2, 3, 3, 3, 3, 3, 3]), (4, 50, [4, 4, 4, 4, 4]), (50, 20, [20])],
)
def test_batches_double_in_length_up_to_the_size(size: int, first: int, lengths: list[int]) -> None:
    batches = batches_of(range(20), size, first)
    assert [len(batch) for batch in batches] == lengths
    assert [item for batch in batches for item in batch] == list(range(20))
