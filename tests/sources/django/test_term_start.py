"""Rows of django-celery-beat at the start of a term."""

from typing import Any

from django_celery_beat.models import PeriodicTask

from beatd.catalog import Query
from beatd.errors import StoreError
from tests.sources.django.live import Live
from tests.sources.django.rows import add


def waiting(live: Live, term: int = 1) -> list[str]:
    unapplied = live.mirror.unapplied(term)
    return [row.entry.name for row in live.store.find(Query()) if unapplied.waits(row.entry)]


def test_rows_edited_while_nobody_led_wait_until_they_are_applied(live: Live) -> None:
    for name in "abc":
        add(name)
    live.look()
    live.restart()
    PeriodicTask.objects.get(name="a").delete()
    PeriodicTask.objects.filter(name="b").update(args="[2]")
    assert waiting(live) == ["a", "b", "c"]
    seen: list[dict[str, Any]] = []

    def released() -> None:
        seen.append({row.entry.name: row.entry.args for row in live.store.find(Query())})

    live.mirror(live.store, 1, released)
    assert seen == [{"b": (2,), "c": ()}]
    assert waiting(live) == []
    assert waiting(live, term=2) == ["b", "c"]


def test_rows_that_the_last_leader_saw_need_no_reading(live: Live, monkeypatch: Any) -> None:
    add("a")
    add("wrong", args="[")
    live.look()
    live.restart()
    released: list[bool] = []
    monkeypatch.setattr(live.mirror._rows, "rows", lambda ids: released[0] and iter(()))
    live.mirror(live.store, 1, lambda: released.append(True))
    assert released == [True]


def test_rows_wait_while_their_table_is_away_and_this_is_said(live: Live, monkeypatch: Any) -> None:
    add("a")
    live.look()
    live.restart()
    with monkeypatch.context() as away:

        def refuse() -> str:
            raise StoreError("django-celery-beat: connection refused")

        away.setattr(live.mirror._rows, "marker", refuse)
        live.look()
        assert waiting(live) == ["a"]
        assert live.mirror.conflicts() == [
            "django-celery-beat: connection refused",
            "django-celery-beat:config: its entries wait until its rows are applied",
        ]
    live.look()
    assert (waiting(live), live.mirror.conflicts()) == ([], [])
