"""A cache's size is what it says, whatever happens to it."""

from beatd.byte_cache import ByteCache


def test_the_oldest_value_is_dropped_when_there_is_no_room() -> None:
    cache = ByteCache[str, int](100)
    for number, name in enumerate("abcdefghij"):
        cache.keep(name, number, 10)
    cache.keep("new", 10, 12)
    assert list(cache) == [*"cdefghij", "new"]
    assert cache.size == 92


def test_a_value_that_is_kept_again_counts_once() -> None:
    cache = ByteCache[str, int](100)
    for number in range(50):
        cache.keep("one", number, 10 + number % 2)
    assert dict(cache) == {"one": 49} and cache.size == 11


def test_a_value_that_would_drive_out_all_others_is_not_kept() -> None:
    cache = ByteCache[str, int](100)
    cache.keep("small", 1, 10)
    cache.keep("large", 1, 1)
    cache.keep("large", 2, 26)
    assert dict(cache) == {"small": 1} and cache.size == 10


def test_what_is_dropped_makes_room() -> None:
    cache = ByteCache[str, int](100)
    cache.keep("a", 1, 10)
    cache.keep("b", 1, 10)
    cache.drop(["a", "unknown"])
    assert dict(cache) == {"b": 1} and cache.size == 10
    cache.clear()
    assert not cache and cache.size == 0
