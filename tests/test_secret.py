"""No password is ever shown: forty odd ones, in the URL of every kind of broker, store and lock."""

import json
import logging
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import quote

import pytest
from click.testing import CliRunner

from beatd import secret
from beatd.cli import main
from beatd.clock import SystemClock
from beatd.definition import codec
from beatd.errors import BeatError
from beatd.observers.log_formats import JsonLines, TextLines
from beatd.publishers.celery import CeleryPublisher
from beatd.publishers.celery_app import app_for
from beatd.secret import Secret, hidden, learn, learn_options, learn_url, masked
from beatd.wiring import backends

PASSWORDS = [
    "hunter2hunter2", "Tr0ub4dor&3", "p@ssw0rd@x", "a:b:c:secret", "with/slash/es", "with?question",
    "with#hash", "100%sure", "%41%42%43%44", "with space", "tab\there", "new\nline",
    "quote'single", 'quote"double', "back\\slash", "semi;colon", "comma,comma", "plus+plus",
    "equals=equals", "amp&amp", "star*star", "dollar$sign", "{braces}", "[brackets]", "<angles>",
    "паролькириллица", "пароль", "密码密码密码", "pässwörd", "emoji🔑key", "ABCdefGHI",
    "UPPERCASE", "0123456789", "-dashes--", "...dots...", "~tilde~", "^caret^", "|pipe|",
    "@begins-with-at", "ends-with-at@", "://scheme", "localhost-pw:6379",
]  # fmt: skip
TRANSPORTS = [
    "redis://u:{}@127.0.0.1:1/0", "redis://:{}@127.0.0.1:1/0", "redis:u:{}@127.0.0.1:1/0",
    "rediss://u:{}@127.0.0.1:1/0", "sentinel://:{}@127.0.0.1:1;sentinel://:{}@127.0.0.1:2",
    "amqp://u:{}@127.0.0.1:1//", "amqp://u:{}@127.0.0.1:1//;amqp://u:{}@127.0.0.1:2//",
    "amqps://u:{}@127.0.0.1:1/v", "sqla+postgresql://u:{}@127.0.0.1:1/db",
    "sqla+mysql+pymysql://u:{}@127.0.0.1:1/db", "sqs://key:{}@127.0.0.1:1",
]  # fmt: skip
STORES = [
    "redis://u:{}@127.0.0.1:1/0", "redis:u:{}@127.0.0.1:1/0", "redis+sentinel://:{}@127.0.0.1:1/s",
    "sentinel://u:{}@127.0.0.1:1;127.0.0.1:2/s/0", "redis+cluster://u:{}@127.0.0.1:1",
    "postgresql://u:{}@127.0.0.1:1/db", "postgresql://127.0.0.1:1/db?password={}&user=u",
    "postgresql:u:{}@127.0.0.1:1/db", "mysql://u:{}@127.0.0.1:1/db", "mariadb://u:{}@127.0.0.1:1/db",
    "django-celery-beat+postgresql://u:{}@127.0.0.1:1/db", "bogus://u:{}@127.0.0.1/db",
]  # fmt: skip


@pytest.fixture(autouse=True)
def nothing_learned(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(secret, "_known", secret._Known())


def spellings(password: str) -> Iterator[str]:
    yield from dict.fromkeys((password, quote(password, safe="")))


# Each try of these takes a while: their library loads much, or looks names up.
SLOW = ("mysql", "mariadb", "sqs")
# PostgreSQL's library reads these as it reads `postgresql://`, which has all passwords.
ALIKE = ("sqla+postgresql", "django-celery-beat+postgresql")


def asked(url: str, *, every: bool) -> list[str]:
    """Return some of the passwords, others for each kind of URL, or all of them."""
    few = not every or url.startswith(ALIKE) or any(s in url for s in SLOW)
    return PASSWORDS[len(url) % 5 :: 5] if few else PASSWORDS


in_both = pytest.mark.parametrize(
    "every", [False, pytest.param(True, marks=pytest.mark.long)], ids=["some", "all"]
)


def shows(text: str, password: str) -> str:
    """The spelling of it that the text shows, or nothing."""
    escaped = json.dumps(password)[1:-1], password.encode("unicode_escape").decode()
    spelled = {*spellings(password), *escaped, repr(password)[1:-1], password.lower()}
    return next((one for one in spelled if one.lower() in text.lower()), "")


def said_by(work: Callable[[], object]) -> str:
    """What an exception says, and its traceback as the log has it."""
    try:
        work()
    except Exception as error:
        record = logging.LogRecord("x", logging.ERROR, "x", 1, "%s", (error,), sys.exc_info())
        said = error if isinstance(error, BeatError) else hidden(str(error))  # as commands print it
        return f"{said} {TextLines().format(record)} {JsonLines().format(record)}"
    return ""


@in_both
@pytest.mark.parametrize("url", TRANSPORTS)
def test_no_trouble_of_a_broker_shows_its_password(url: str, every: bool) -> None:
    for password in asked(url, every=every):
        for spelling in spellings(password):
            full = url.format(*[spelling] * url.count("{}"))

            def ask(full: str = full) -> str:
                publisher = CeleryPublisher(app=app_for({"url": Secret(full)}), timeout=0.2)
                try:
                    publisher.reachable()
                    return publisher.trouble()
                finally:
                    publisher.close()

            told: list[str] = []
            said = said_by(lambda ask=ask, told=told: told.append(ask()))  # type: ignore[misc]
            for text in (*told, said, repr(Secret(full)), masked(full)):
                assert not shows(text, password), (full, text)


@in_both
@pytest.mark.parametrize("url", STORES)
def test_no_trouble_of_a_store_or_a_lock_shows_its_password(url: str, every: bool) -> None:
    for password in asked(url, every=every):
        for spelling in spellings(password):
            full = Secret(url.format(spelling))
            text = said_by(
                lambda full=full: backends.open_store(  # type: ignore[misc]
                    full, codec=codec, clock=SystemClock(), timeout=0.2
                )
            )
            assert text and not shows(text, password), (full, text)

            def take(full: str = full) -> None:
                lease = backends.open_lease(full)
                lease.take(backends.own_holder("x", SystemClock().now()), 0.2)

            text = said_by(take)
            assert text and not shows(text, password), (str(full), text)


def test_no_command_shows_a_password(tmp_path: Path) -> None:
    for place, url in enumerate((*STORES[:5], *STORES[5:10:2])):
        password = PASSWORDS[place * 5 % len(PASSWORDS)]
        full = url.format(quote(password, safe=""))
        config = tmp_path / f"{place}.yaml"
        config.write_text(
            json.dumps({"broker": {"url": full}, "store": {"url": full}, "lock": {"url": full}})
        )
        for words in (["check", "--connect"], ["list"], ["status", "--json"], ["status"]):
            result = CliRunner().invoke(main, [*words, "-c", str(config)])
            text = result.output + result.stderr
            assert not shows(text, password), (words, text)


def test_a_url_of_several_hides_each() -> None:
    learn_url("sentinel://:first-one@a;sentinel://u:second-one@b:26379/0")
    assert hidden("x first-one y SECOND-ONE z") == "x *** y *** z"


def test_a_password_in_options_is_hidden_at_any_depth() -> None:
    learn_options({"a": [{"sentinel_kwargs": {"password": "deep-one"}}], "api_token": "tok-en"})
    assert hidden("deep-one tok-en") == "*** ***"


def test_a_password_that_is_also_a_user_or_a_host_does_not_hide_every_word() -> None:
    learn_url("amqp://guest:guest@redis:5672//")
    learn_url("redis://:redis@localhost/0")
    assert hidden("amqp guest redis") == "amqp guest redis"
    assert hidden("redis://u:redis@localhost/0") == "redis://u:***@localhost/0"


def test_what_is_learned_twice_grows_nothing() -> None:
    learn("once-and-again")
    before = secret._known.pattern
    for _ in range(10):
        learn("once-and-again")
    assert secret._known.pattern is before


def test_an_address_is_never_hidden() -> None:
    learn("s3cret@127.0.0.1:6379")
    assert (
        hidden("no answer from 127.0.0.1:6379 for s3cret")
        == "no answer from 127.0.0.1:6379 for ***"
    )
