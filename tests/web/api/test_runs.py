"""Runs that a program asks for: each once, however often it asks."""

from datetime import date

import pytest
from msgspec.structs import replace

from beatd.edits.request_arguments import with_arguments
from beatd.ledger import Request
from beatd.run import Run
from beatd.stores.embedded.memory import MemoryStore
from tests.stores.making import FOREVER, asked, lead, row, told
from tests.web.api.client import VIEWER, Client, entry

KEY = {"Idempotency_Key": "deploy-42"}
SPAN = {"from": "2026-01-01T00:00", "to": "2026-01-01T00:30"}


def requests(store: MemoryStore) -> list[Request]:
    return [request for request, _ in store.requests(100)]


def publish(store: MemoryStore, name: str = "tidy") -> str:
    """Publish the only request as the leader does, and return the task id."""
    run = claim(store, name)
    store.record([told(run)])
    return run.task_id


def claim(store: MemoryStore, name: str = "tidy") -> Run:
    (request,) = requests(store)
    move = asked(store, request, row(store, name))
    assert move.run is not None
    run = replace(move.run, origin=request.kind)
    assert store.claim([replace(move, run=run)], lead(store), request.first) == [True]
    return run


def test_a_trigger_answers_the_id_of_its_task(api: Client, store: MemoryStore) -> None:
    api.create("tidy")
    answer = api("POST", "entries/tidy/trigger")
    assert answer.body == {"entry": "tidy", "task_id": publish(store)}


def test_two_triggers_without_a_key_are_two_runs(api: Client, store: MemoryStore) -> None:
    api.create("tidy")
    ids = {api("POST", "entries/tidy/trigger", {}).body["task_id"] for _ in range(2)}
    assert len(ids) == len(requests(store)) == 2


def test_a_key_is_one_run_while_it_is_pending_and_after_it_was_published(
    api: Client, store: MemoryStore
) -> None:
    api.create("tidy")
    first = api("POST", "entries/tidy/trigger", **KEY).body["task_id"]
    assert api("POST", "entries/tidy/trigger", **KEY).body["task_id"] == first
    assert len(requests(store)) == 1
    assert publish(store) == first
    assert api("POST", "entries/tidy/trigger", **KEY).body["task_id"] == first
    assert requests(store) == []


def test_a_key_is_one_run_while_it_is_claimed(api: Client, store: MemoryStore) -> None:
    api.create("tidy")
    first = api("POST", "entries/tidy/trigger", **KEY).body["task_id"]
    claim(store)
    assert [one.task_id for one in store.unknowns(FOREVER, 10)] == [first]
    assert api("POST", "entries/tidy/trigger", **KEY).body["task_id"] == first
    assert requests(store) == []


def test_a_key_with_other_arguments_is_refused_and_requests_nothing(
    api: Client, store: MemoryStore
) -> None:
    api.create("tidy")
    with_args = {"args": [1]}
    first = api("POST", "entries/tidy/trigger", with_args, **KEY).body["task_id"]
    for is_published in (False, True):
        if is_published:
            assert publish(store) == first
        for other in ({}, {"args": [2]}, {"args": [1], "kwargs": {"full": True}}):
            answer = api("POST", "entries/tidy/trigger", other, **KEY)
            assert answer.status == 422
            assert "other arguments" in answer.body["detail"]
        assert len(requests(store)) == (0 if is_published else 1)
        again = api("POST", "entries/tidy/trigger", with_args, **KEY)
        assert again.body["task_id"] == first


def test_a_key_of_a_run_without_arguments_is_refused_with_some(
    api: Client, store: MemoryStore
) -> None:
    api.create("tidy")
    api("POST", "entries/tidy/trigger", **KEY)
    assert api("POST", "entries/tidy/trigger", {"args": [1]}, **KEY).status == 422
    assert len(requests(store)) == 1


def test_a_key_with_other_moments_is_refused_and_requests_nothing(
    api: Client, store: MemoryStore
) -> None:
    api.create("tidy")
    assert api("POST", "entries/tidy/backfill", SPAN, **KEY).status == 200
    answer = api("POST", "entries/tidy/backfill", {**SPAN, "to": "2026-01-01T01:00"}, **KEY)
    assert answer.status == 422
    assert "other moments" in answer.body["detail"]
    assert len(requests(store)) == 1


def test_another_key_and_another_entry_are_other_runs(api: Client, store: MemoryStore) -> None:
    api.create("tidy")
    api.create("other")
    ids = {
        api("POST", f"entries/{name}/trigger", Idempotency_Key=key).body["task_id"]
        for name in ("tidy", "other")
        for key in ("a", "b")
    }
    assert len(ids) == len(requests(store)) == 4


def test_a_run_gets_the_arguments_of_its_request(api: Client, store: MemoryStore) -> None:
    api.create("tidy", every="5m", args=[1], kwargs={"full": False})
    body = {"kwargs": {"full": True, "day": {"__type__": "date", "__value__": "2027-01-31"}}}
    first = api("POST", "entries/tidy/trigger", body, **KEY).body["task_id"]
    (request,) = requests(store)
    given = with_arguments(store.marks)(row(store).entry, request.id)
    assert (list(given.args), given.kwargs) == ([1], {"full": True, "day": date(2027, 1, 31)})
    assert api("POST", "entries/tidy/trigger", body, **KEY).body["task_id"] == first
    assert publish(store) == first
    assert api("POST", "entries/tidy/trigger", body, **KEY).body["task_id"] == first
    assert requests(store) == []


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"args": {"a": 1}}, "/args"), ({"kwargs": []}, "/kwargs"), ({"options": {}}, "/options"),
        ({"args": [10**40]}, "/args"), ({"args": ["x" * 40_000]}, ""),
    ],
)  # fmt: skip
def test_arguments_that_cannot_be_sent_are_refused(
    api: Client, store: MemoryStore, body: dict[str, object], pointer: str
) -> None:
    api.create("tidy")
    answer = api("POST", "entries/tidy/trigger", body)
    assert answer.status == 422 and [at for at, _ in answer.mistakes] == [pointer]
    assert requests(store) == []


@pytest.mark.parametrize("key", ["", "x" * 201])
def test_a_key_that_is_empty_or_too_long_is_refused(api: Client, key: str) -> None:
    api.create("tidy")
    answer = api("POST", "entries/tidy/trigger", Idempotency_Key=key)
    assert answer.status == 422
    assert [at for at, _ in answer.mistakes] == ["Idempotency-Key"]


def test_a_backfill_counts_first_and_requests_once(api: Client, store: MemoryStore) -> None:
    api.create("tidy", every="10m")
    dry = api("POST", "entries/tidy/backfill", {**SPAN, "dry_run": True}).body
    assert (dry["count"], dry["asked"], requests(store)) == (4, False, [])
    done = api("POST", "entries/tidy/backfill", SPAN, **KEY).body
    assert done == {**dry, "asked": True}
    assert api("POST", "entries/tidy/backfill", SPAN, **KEY).body == done
    assert len(requests(store)) == 1
    overlapping = api("POST", "entries/tidy/backfill", SPAN)
    assert overlapping.status == 409 and "pending already" in overlapping.body["detail"]


def test_a_backfill_with_a_key_is_not_repeated_after_its_runs(
    api: Client, store: MemoryStore
) -> None:
    api.create("tidy", every="10m")
    done = api("POST", "entries/tidy/backfill", SPAN, **KEY).body
    publish(store)
    assert requests(store) == []
    assert api("POST", "entries/tidy/backfill", SPAN, **KEY).body == done
    assert requests(store) == []


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"from": "2026-01-01", "to": "2999-01-01"}, "/to"),
        ({"from": "2026-01-02", "to": "2026-01-01"}, "/from"),
        ({"from": "soon", "to": "2026-01-01"}, "/from"),
        ({"from": "2026-01-01", "to": 5}, "/to"),
        ({"from": "2026-01-01", "to": "2026-01-01", "rate": 1}, "/rate"),
    ],
)
def test_a_wrong_backfill_names_the_member(
    api: Client, store: MemoryStore, body: dict[str, object], pointer: str
) -> None:
    api.create("tidy")
    answer = api("POST", "entries/tidy/backfill", body)
    assert answer.status == 422 and [at for at, _ in answer.mistakes] == [pointer]
    assert requests(store) == []


def test_a_span_without_a_moment_requests_nothing(api: Client, store: MemoryStore) -> None:
    api.create("tidy", cron="0 3 * * *")
    answer = api("POST", "entries/tidy/backfill", SPAN)
    assert answer.status == 422 and "no moment" in answer.body["detail"]


# What ran, and what will


def test_the_history_is_read_page_by_page(api: Client, store: MemoryStore) -> None:
    api.create("tidy")
    ids = []
    for _ in range(7):
        api("POST", "entries/tidy/trigger")
        ids.append(publish(store))
    for path in ("history?limit=3", "entries/tidy/history?limit=2"):
        assert [one["task_id"] for one in api.pages(path)] == ids[::-1]
    (first, *_), newest = api.get("history?limit=1")["items"], ids[-1]
    assert (first["entry"], first["state"], first["origin"]) == ("tidy", "published", "trigger")
    assert first["task_id"] == newest
    assert api.pages("history?limit=2&state=failed") == []
    assert len(api.pages("history?limit=2&until=2999-01-01&since=2020-01-01")) == 7
    assert api.get("history?since=2999-01-01") == {"items": [], "next": None}


def test_the_history_of_a_removed_entry_can_be_read(api: Client, store: MemoryStore) -> None:
    etag = api.create("tidy")
    api("POST", "entries/tidy/trigger")
    publish(store)
    assert api("DELETE", entry("tidy"), If_Match=etag).status == 204
    assert len(api.get("entries/tidy/history")["items"]) == 1
    assert api("GET", "entries/never/history").status == 404


def test_the_next_runs_have_the_zone_and_utc(api: Client) -> None:
    api.create("report", cron="30 2 * * *", tz="Europe/Berlin")
    found = api.get("entries/report/next?n=2&from=2027-03-27T00:00")["items"]
    assert found == [
        {"local": "2027-03-27T02:30:00+01:00", "utc": "2027-03-27T01:30:00Z"},
        {"local": "2027-03-28T03:00:00+02:00", "utc": "2027-03-28T01:00:00Z"},
    ]
    wrong = api("GET", "entries/report/next?from=soon")
    assert wrong.status == 422 and wrong.mistakes[0][0] == "from"


def test_why_names_the_cause(api: Client) -> None:
    api.create("tidy")
    api("POST", "entries/tidy/pause", {"note": "migration"})
    assert api.get("entries/tidy/why", by=VIEWER)["cause"] == "paused"
    assert api.get("entries/tidy/why?at=2026-01-01T00:01")["cause"] != "paused"
    assert "T00:01:00" in api.get("entries/tidy/why?at=00:01")["planned"]


def test_the_runs_ahead_are_counted_in_buckets(api: Client) -> None:
    api.create("a", every="1m")
    api.create("b", every="1m")
    api.create("c", cron="*/10 * * * *")
    api.create("d", every="1m", max_runs=5)
    api.create("e", every="1m", enabled=False)
    found = api.get("ahead?hours=2")
    assert found["complete"] is True and found["seconds"] == 60
    assert sum(one["runs"] for one in found["buckets"]) == 120 + 120 + 12 + 5
    assert api.get("ahead?hours=168")["seconds"] == 1800
    assert api("GET", "ahead?hours=169").status == 422
