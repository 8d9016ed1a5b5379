"""What is said of a broker that does not answer: which one, why, and no password."""

from pathlib import Path

import pytest

from beatd.publishers.celery import CeleryPublisher
from beatd.publishers.celery_app import app_for
from tests.publishers.servers import PrivateRedis


@pytest.mark.parametrize(
    ("url", "place"),
    [
        ("redis://127.0.0.1:1/0", "redis://127.0.0.1:1/0"),
        ("redis://:sekret@127.0.0.1:1/0", "redis://:***@127.0.0.1:1/0"),
        ("amqp://user:sekret@127.0.0.1:1//", "amqp://user:***@127.0.0.1:1//"),
    ],
)
def test_a_silent_broker_is_named_without_its_password(url: str, place: str) -> None:
    publisher = CeleryPublisher(app=app_for({"url": url}), timeout=0.5)
    assert not publisher.reachable()
    assert publisher.trouble().startswith(f"{place}: ")
    assert "refused" in publisher.trouble() and "sekret" not in publisher.trouble()
    publisher.close()


def test_a_missing_file_of_tls_is_named(private_redis: PrivateRedis, tmp_path: Path) -> None:
    missing = tmp_path / "missing.pem"
    url = f"rediss://127.0.0.1:{private_redis.port}/0?ssl_ca_certs={missing}"
    publisher = CeleryPublisher(app=app_for({"url": url}), timeout=0.5)
    assert not publisher.reachable()
    assert f"ssl_ca_certs {missing}: cannot be read" in publisher.trouble()
    publisher.close()
