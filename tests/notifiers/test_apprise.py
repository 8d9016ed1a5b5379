"""Messages through Apprise, to a real SMTP server."""

from collections.abc import Iterator
from datetime import UTC, datetime
from email import message_from_bytes
from email.header import decode_header, make_header
from typing import Any

import pytest
from aiosmtpd.controller import Controller

from beatd.alerts.channel import NotDelivered
from beatd.alerts.message import message_of
from beatd.incident import Incident
from beatd.notifiers.apprise import AppriseChannel, knows
from tests.notifiers.receivers import free_port

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
INCIDENT = Incident(kind="failed", name="nightly", opened=NOW, observed="3 failures in a row")
MESSAGE = message_of("opened", [INCIDENT], NOW)


class Inbox:
    """The handler of an SMTP server, which keeps every mail."""

    def __init__(self) -> None:
        self.mails: list[Any] = []

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        self.mails.append(message_from_bytes(envelope.content))
        return "250 OK"


@pytest.fixture
def inbox() -> Iterator[tuple[Inbox, int]]:
    handler = Inbox()
    port = free_port()
    controller = Controller(handler, hostname="127.0.0.1", port=port)
    controller.start()
    yield handler, port
    controller.stop()


def mail_url(port: int) -> str:
    return f"mailto://127.0.0.1:{port}/?to=oncall@example.com&from=beatd@example.com&mode=insecure"


def test_a_mail_arrives(inbox: tuple[Inbox, int]) -> None:
    handler, port = inbox
    AppriseChannel(mail_url(port)).send(MESSAGE)
    (mail,) = handler.mails
    assert str(make_header(decode_header(mail["Subject"]))) == "beatd: nightly failing"
    assert "oncall@example.com" in mail["To"]
    text = "".join(
        part.get_payload(decode=True).decode() for part in mail.walk() if not part.is_multipart()
    )
    assert "3 failures in a row" in text and "\nMore: beatd incidents nightly" in text


def test_a_server_that_is_away_is_told_without_the_password() -> None:
    channel = AppriseChannel(mail_url(free_port()).replace("://", "://me:hunter2word@"))
    assert channel.shown == "mailto://***"
    with pytest.raises(NotDelivered) as told:
        channel.send(MESSAGE)
    assert not told.value.is_final and "hunter2word" not in str(told.value)


def test_a_url_that_apprise_does_not_know_is_told_once() -> None:
    assert not knows("nosuch://x") and knows("tgram://123456789:abcdefg_hijklmnop/12315544/")
    with pytest.raises(NotDelivered, match="does not know") as told:
        AppriseChannel("nosuch://token12345/x").send(MESSAGE)
    assert told.value.is_final


def test_a_process_that_hangs_is_ended() -> None:
    with pytest.raises(NotDelivered, match="no answer within"):
        AppriseChannel("mailto://127.0.0.1/", timeout_s=0.01).send(MESSAGE)
