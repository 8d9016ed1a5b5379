"""Which messages are due, and what they say."""

from datetime import UTC, datetime, timedelta

from msgspec import json
from msgspec.structs import replace

from beatd.alerts.digest import Digest, Sorted, reminder, sort_out
from beatd.alerts.flapping import FLAPS_SAID, Opening, flaps_of, is_mute
from beatd.alerts.message import message_of
from beatd.alerts.outages import Outage
from beatd.incident import Incident, IncidentKind

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
WAIT = timedelta(seconds=30)


def ago(seconds: float) -> datetime:
    return NOW - timedelta(seconds=seconds)


def failing(number: int = 0, since_s: float = 31, kind: IncidentKind = "failed") -> Incident:
    return Incident(
        kind=kind, name=f"e{number}", opened=ago(since_s), revision=1, observed="1 failure",
        threshold="failed: 1", flaps=1,
    )  # fmt: skip


def due(*incidents: Incident, outages: tuple[Outage, ...] = ()) -> Sorted:
    return sort_out(incidents, outages, NOW, WAIT)


def test_a_message_waits_until_its_oldest_incident_is_old_enough() -> None:
    assert due(failing(0, 29)) == Sorted()
    (digest,) = due(failing(0, 7), failing(1, 31), failing(2, 15)).digests
    assert digest.about == "opened" and len(digest.incidents) == 3


def test_a_message_waits_while_further_incidents_join_it_but_not_for_ever() -> None:
    assert due(failing(0, 31), failing(1, 2)) == Sorted()
    (digest,) = due(failing(0, 121), failing(1, 2)).digests
    assert len(digest.incidents) == 2


def test_one_message_has_all_of_one_kind_and_cause() -> None:
    found = due(failing(0), failing(1), failing(2, kind="late"), replace(failing(3), cause="x"))
    assert sorted(len(one.incidents) for one in found.digests) == [1, 1, 2]


def test_a_message_that_a_daemon_is_sending_is_not_sent_by_another() -> None:
    leased = replace(failing(0, 60), leased_until=NOW + timedelta(seconds=1))
    assert due(leased, failing(1)) == Sorted()


def test_a_message_that_may_have_been_sent_is_sent_again_with_its_id() -> None:
    both = [replace(failing(n, 60), leased_until=ago(1)) for n in range(2)]
    sent = message_of("opened", [replace(one, leased_until=None) for one in both], NOW)
    again, other = due(*both, failing(2)).digests
    assert message_of("opened", again.incidents, NOW).id == sent.id
    assert [one.name for one in other.incidents] == ["e2"]


def test_two_incidents_of_one_entry_are_of_one_entry() -> None:
    first, second = replace(failing(0, 60), closed=ago(50)), replace(failing(0, 45), closed=ago(40))
    message = message_of("resolved", [first, second], NOW)
    assert (message.title, message.entries, message.count) == (
        "beatd: over: e0 failing",
        ("e0",),
        2,
    )


def test_nothing_of_a_message_is_sent_again_when_its_first_incident_needs_none_any_more() -> None:
    # Closed while the message was on its way, and an outage may have caused it.
    until = NOW + timedelta(seconds=1)
    leased = replace(failing(0, 60), leased_until=until, closed=ago(1))
    outage = Outage("broker away", ago(61), ago(59))
    assert due(leased, failing(1, 31), outages=(outage,)) == Sorted()
    assert due(replace(leased, leased_until=None), outages=(outage,)).settled


def test_what_was_announced_is_not_announced_again() -> None:
    assert due(replace(failing(0, 900), announced=ago(800))) == Sorted()


def test_the_end_is_one_message_with_how_long_it_lasted() -> None:
    said = replace(failing(0, 900), announced=ago(800), closed=ago(31))
    (digest,) = due(said, replace(said, name="e1")).digests
    assert digest.about == "resolved"
    message = message_of("resolved", digest.incidents, NOW)
    assert message.lasted == 869 and "it lasted 14m29s" in message.text
    assert message.title == "beatd: over: 2 entries failing"
    assert due(replace(said, resolved=ago(1))) == Sorted()


def test_what_was_over_before_it_was_announced_is_one_message() -> None:
    (digest,) = due(replace(failing(0, 40), closed=ago(35))).digests
    assert digest.about == "resolved"


def test_a_cause_that_was_over_before_it_was_announced_is_no_message() -> None:
    blip = Incident(kind="broker away", name="", opened=ago(35), closed=ago(33), revision=2)
    assert due(blip) == Sorted(settled=(blip,))


def test_effects_of_a_cause_wait_and_are_no_message_if_they_end_with_it() -> None:
    effect = failing(0, 600)
    lasting = Outage("broker away", ago(590))
    assert due(effect, outages=(lasting,)) == Sorted()
    over = Outage("broker away", ago(590), ago(100))
    closed = replace(effect, closed=ago(50))
    assert due(closed, outages=(over,)) == Sorted(settled=(closed,))
    assert len(due(effect, outages=(over,)).digests) == 1, "it did not end with its cause"


def test_an_incident_from_before_a_cause_is_announced_meanwhile() -> None:
    assert len(due(failing(0, 600), outages=(Outage("broker away", ago(5)),)).digests) == 1


def test_a_store_that_went_back_is_said_once_without_an_end() -> None:
    moment = Incident(
        kind="store went back", name="", opened=ago(40), closed=ago(40), revision=2, flaps=1
    )
    (digest,) = due(moment).digests
    assert digest.about == "opened"
    said = replace(moment, announced=NOW)
    assert due(said) == Sorted(settled=(said,))


# reminders


def test_a_reminder_is_one_message_about_all_that_is_open() -> None:
    again = timedelta(hours=12)
    old = [replace(failing(n, 90_000), announced=ago(50_000)) for n in range(12)]
    new = replace(failing(50, kind="missing"), announced=ago(20))
    digest = reminder([*old, new], NOW, again)
    assert digest is not None and len(digest.incidents) == 12
    message = message_of(digest.about, digest.incidents, NOW)
    assert message.title == "beatd: still open: 12 entries failing"
    assert "and 2 more, 12 in all" in message.text
    assert reminder([new], NOW, again) is None


def test_a_reminder_of_several_kinds_says_so() -> None:
    some = [failing(0), failing(1, kind="late")]
    assert message_of("reminder", some, NOW).kind == "several"


# flapping


def test_flapping_is_said_once_a_day_and_then_is_mute() -> None:
    now, earlier, said = NOW, list[Opening](), []
    for _ in range(400):  # 200 a day
        flaps = flaps_of(earlier, now)
        earlier.append(Opening(now, flaps))
        said.append(flaps)
        now += timedelta(days=2) / 400
    assert said[:FLAPS_SAID] == [1, 2, 3, 4, 5]
    assert said.count(FLAPS_SAID) == 2, "once on each of two days"
    assert sum(not is_mute(flaps) for flaps in said) == 6


def test_what_is_mute_is_no_message() -> None:
    mute = replace(failing(0), flaps=FLAPS_SAID + 1)
    assert due(mute) == Sorted(settled=(mute,))
    ended = replace(mute, announced=ago(5), closed=ago(31))
    assert due(ended) == Sorted(settled=(ended,))


def test_that_it_flaps_is_said_with_its_number() -> None:
    (digest,) = due(replace(failing(0), flaps=FLAPS_SAID)).digests
    message = message_of("opened", digest.incidents, NOW)
    assert message.title == "beatd: e0 failing again and again"
    assert f"opened {FLAPS_SAID} times within a day" in message.text


# the message


def test_a_message_has_ten_names_and_a_count() -> None:
    (digest,) = due(*(failing(number) for number in range(5000))).digests
    message = message_of(digest.about, digest.incidents, NOW)
    assert (message.count, len(message.entries)) == (5000, 10)
    assert message.title == "beatd: 5000 entries failing"
    assert "and 4990 more, 5000 in all" in message.text


def test_the_id_of_a_message_is_the_same_in_every_daemon_and_try() -> None:
    some = [failing(0), failing(1)]
    assert message_of("opened", some, NOW).id == message_of("opened", some, ago(60)).id
    leased = [replace(one, revision=2, leased_until=NOW) for one in some]
    assert message_of("opened", some, NOW).id == message_of("opened", leased, NOW).id
    assert message_of("opened", some, NOW).id != message_of("resolved", some, NOW).id


def test_the_json_of_a_webhook() -> None:
    body = json.decode(message_of("opened", [failing(0)], NOW).json())
    assert {key: body[key] for key in ("type", "kind", "entries", "count", "threshold")} == {
        "type": "opened", "kind": "failed", "entries": ["e0"], "count": 1,
        "threshold": "failed: 1",
    }  # fmt: skip
    assert body["observed"] == "1 failure" and body["since"] == "2026-03-02T11:59:29Z"
    assert set(body) >= {"incident", "url", "timestamp", "lasted", "text", "title"}


def test_digests_compare_by_value() -> None:
    assert Digest("opened", (failing(0),)) == Digest("opened", (failing(0),))
