"""Messages reach real HTTP servers, and servers that do not work hold up nothing."""

import hmac
import threading
from base64 import b64encode
from datetime import UTC, datetime
from hashlib import sha256

import pytest

from beatd.alerts.channel import NotDelivered
from beatd.alerts.message import test_message as a_message
from beatd.clock import SystemClock
from beatd.daemon.alert_sender import AlertSender
from beatd.events import AlertNotSent, AlertSent, Event
from beatd.notifiers.heartbeat import HeartbeatUrl
from beatd.notifiers.webhook import Webhook
from beatd.secret import hidden
from tests.notifiers.receivers import closed_url, receiver
from tests.process import PATIENCE
from tests.waiting import until

MESSAGE = a_message(datetime(2026, 3, 2, 12, tzinfo=UTC), "host")


class FastClock(SystemClock):
    """Pauses between two tries are a hundredth of what they are."""

    def wait(self, seconds: float, wake: threading.Event) -> None:
        super().wait(seconds / 100, wake)


def test_a_webhook_has_the_headers_of_standard_webhooks_and_a_signature() -> None:
    with receiver() as good:
        Webhook(good.url, "whsec_c2VjcmV0").send(MESSAGE)
        (one,) = good.received
    assert one.json["type"] == "test" and one.headers["content-type"] == "application/json"
    signed = f"{one.headers['webhook-id']}.{one.headers['webhook-timestamp']}.".encode() + one.body
    expected = b64encode(hmac.digest(b"secret", signed, sha256)).decode()
    assert one.headers["webhook-signature"] == f"v1,{expected}"
    assert one.headers["webhook-timestamp"] == str(int(MESSAGE.at.timestamp()))


def test_without_a_secret_it_is_not_signed() -> None:
    with receiver() as good:
        Webhook(good.url).send(MESSAGE)
        assert "webhook-signature" not in good.received[0].headers


def test_user_and_password_of_the_url_are_sent_as_a_header() -> None:
    with receiver() as good:
        Webhook(good.url.replace("://", "://me:p%40ss@")).send(MESSAGE)
        expected = b64encode(b"me:p@ss").decode()
        assert good.received[0].headers["authorization"] == f"Basic {expected}"


@pytest.mark.parametrize(
    ("status", "final"), [(500, False), (429, False), (400, True), (410, True), (307, True)]
)
def test_an_answer_that_is_no_success_is_told(status: int, final: bool) -> None:
    with receiver(lambda number: status) as bad, pytest.raises(NotDelivered) as told:
        Webhook(bad.url).send(MESSAGE)
    assert str(status) in str(told.value) and told.value.is_final is final
    assert len(bad.received) == 1, "no redirect is followed"


def test_a_closed_port_and_a_hanging_server_are_told() -> None:
    with pytest.raises(NotDelivered, match="no connection"):
        Webhook(closed_url()).send(MESSAGE)
    with receiver(lambda number: 0) as hanging, pytest.raises(NotDelivered, match="no"):
        Webhook(hanging.url, timeout_s=0.1).send(MESSAGE)


def test_no_token_of_a_url_is_shown() -> None:
    hook = Webhook("https://hooks.example.com/services/T0AB12CD9/B0XXyy88zz?token=s3cretword")
    assert hook.shown == "https://hooks.example.com"
    assert "B0XXyy88zz" not in hidden("no host for /services/T0AB12CD9/B0XXyy88zz")


def test_the_heartbeat_is_a_plain_request() -> None:
    with receiver() as monitor:
        HeartbeatUrl(monitor.url)()
        assert monitor.received[0].body == b""
    with pytest.raises(NotDelivered):
        HeartbeatUrl(closed_url())()


# several channels, each with a thread of its own


def test_a_hanging_channel_holds_up_no_other_and_no_caller() -> None:
    with receiver(lambda number: 0) as hanging, receiver() as good:
        heard: list[Event] = []
        channels = [Webhook(hanging.url), Webhook(good.url)]
        sender = AlertSender(channels, clock=FastClock(), observer=heard.append)
        posted = sender.post(MESSAGE)
        until(lambda: good.received, PATIENCE, "the good one has it")
        until(lambda: heard, PATIENCE, "it is told")
        assert isinstance(heard[0], AlertSent) and not posted.is_settled
        hanging.released.set()  # it was only slow
        until(lambda: posted.is_settled, PATIENCE, "the slow one has it too")
        sender.stop()


def test_what_fails_is_tried_again_with_the_same_id() -> None:
    with receiver(lambda number: 503 if number < 3 else 200) as unsteady:
        heard: list[Event] = []
        sender = AlertSender([Webhook(unsteady.url)], clock=FastClock(), observer=heard.append)
        posted = sender.post(MESSAGE)
        until(lambda: posted.is_settled, PATIENCE, "it arrives in the end")
        sender.stop()
        assert [type(event) for event in heard] == [AlertNotSent, AlertNotSent, AlertSent]
        assert len({one.headers["webhook-id"] for one in unsteady.received}) == 1


def test_what_is_refused_is_not_tried_again() -> None:
    with receiver(lambda number: 404) as refusing:
        heard: list[Event] = []
        sender = AlertSender([Webhook(refusing.url)], clock=FastClock(), observer=heard.append)
        posted = sender.post(MESSAGE)
        until(lambda: posted.is_settled, PATIENCE, "it gives up")
        sender.stop()
        assert len(refusing.received) == 1
        assert isinstance(heard[0], AlertNotSent) and heard[0].final


def test_one_channel_that_works_is_enough_when_another_fails_again_and_again() -> None:
    with receiver(lambda number: 500) as bad, receiver() as good:
        channels = [Webhook(bad.url), Webhook(good.url)]
        sender = AlertSender(channels, clock=FastClock(), observer=lambda event: None)
        posted = sender.post(MESSAGE)
        until(lambda: posted.is_settled, PATIENCE, "the failing one is not waited for")
        assert len(good.received) == 1
        until(lambda: len(bad.received) > 3, PATIENCE, "it is still tried")
        sender.stop()


def test_without_a_channel_a_message_is_settled_at_once() -> None:
    assert AlertSender([], clock=FastClock(), observer=lambda event: None).post(MESSAGE).is_settled
