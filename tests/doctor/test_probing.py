"""Probes run beside each other, and none can hold the command up."""

from collections.abc import Iterator
from threading import Event

from beatd.doctor.finding import Finding
from beatd.doctor.probing import findings_of
from beatd.errors import StoreError

WELL = Finding("ok", "a", "well")


def well() -> Iterator[Finding]:
    yield WELL


def test_a_probe_that_hangs_is_one_line_and_the_others_are_shown() -> None:
    never = Event()

    def hangs() -> Iterator[Finding]:
        yield Finding("ok", "b", "before")
        never.wait()

    found = list(findings_of({"b": hangs, "a": well}, 0.05))
    never.set()
    assert found == [
        Finding("ok", "b", "before"),
        Finding("error", "b", "no answer within 0.05 s"),
        WELL,
    ]


def test_the_probes_run_beside_each_other() -> None:
    met = Event()

    def waits() -> Iterator[Finding]:
        assert met.wait(60)
        yield WELL

    def meets() -> Iterator[Finding]:
        met.set()
        yield from ()

    assert list(findings_of({"a": waits, "b": meets}, 60)) == [WELL]


def test_an_exception_is_a_line_without_a_password() -> None:
    def breaks() -> Iterator[Finding]:
        raise StoreError("store redis://u:sesame@h: away\n  at all")
        yield WELL

    def surprises() -> Iterator[Finding]:
        raise KeyError("x")
        yield WELL

    assert list(findings_of({"store": breaks, "b": surprises}, 60)) == [
        Finding("error", "store", "redis://u:***@h: away at all"),
        Finding("error", "b", "KeyError: 'x'"),
    ]
