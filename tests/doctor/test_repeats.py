"""A cause that an earlier line of the doctor names is not named again by the daemons."""

from beatd.doctor.finding import Finding
from beatd.doctor.repeats import without_repeats

AWAY = Finding("error", "broker", "does not answer: redis://h/0: no answer within 2 s")
OF_DAEMON = Finding("error", "daemons", "vm:1 cannot use the broker: redis://h/0: refused.")
MISTAKE = Finding("error", "check", "schedules/a.yaml:3: is not YAML")
OF_FILE = Finding("warning", "daemons", "vm:1: invalid source: /x/schedules/a.yaml:3: is not YAML")


def test_a_broker_that_is_away_from_here_too_is_one_line() -> None:
    assert list(without_repeats([AWAY, OF_DAEMON])) == [AWAY]


def test_a_broker_that_only_a_daemon_cannot_use_is_named() -> None:
    answers = Finding("ok", "broker", "Redis 7 at redis://h/0 answers")
    empties = Finding("warning", "broker", "a restart loses everything")
    lines = [answers, empties, OF_DAEMON]
    assert list(without_repeats(lines)) == lines


def test_a_mistake_in_a_file_is_one_line() -> None:
    assert list(without_repeats([MISTAKE, OF_FILE])) == [MISTAKE]
    whole = Finding("error", "check", "/x/schedules/a.yaml:3: is not YAML")
    below = Finding("warning", "daemons", "vm:1: invalid source: schedules/a.yaml:3: is not YAML")
    assert list(without_repeats([whole, below])) == [whole]
    other = Finding("warning", "daemons", "vm:1: invalid source: /x/b.yaml:1: is not YAML")
    assert list(without_repeats([MISTAKE, other])) == [MISTAKE, other]
