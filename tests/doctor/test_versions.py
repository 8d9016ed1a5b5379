"""Which versions serve."""

import pytest

from beatd.doctor import versions
from beatd.doctor.versions import program_versions, server_version


@pytest.mark.parametrize(
    ("kind", "text", "shown", "is_old"),
    [
        ("redis", "7.2.4", "Redis 7.2.4", False),
        ("redis", "6.0.16", "Redis 6.0.16", True),
        ("postgresql", "16.3 (Debian 16.3-1)", "PostgreSQL 16.3", False),
        ("postgresql", "12.22", "PostgreSQL 12.22", True),
        ("mysql", "11.4.2-MariaDB-ubu2404", "MariaDB 11.4.2", False),
        ("mysql", "5.5.5-10.5.1-MariaDB", "MariaDB 10.5.1", True),
        ("mysql", "8.0.16", "MySQL 8.0.16", True),
        ("mysql", "8.4.0", "MySQL 8.4.0", False),
        ("rabbitmq", "4.1.0", "RabbitMQ 4.1.0", False),
        ("redis", "unstable", "Redis unstable", False),
    ],
)
def test_the_version_of_a_server(kind: str, text: str, shown: str, is_old: bool) -> None:
    name, problem = server_version(kind, text)
    assert (name, problem.startswith(f"{shown} is too old; ")) == (shown, is_old)


def test_a_library_that_is_too_old_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    assert [one.level for one in program_versions()] == ["ok"]
    monkeypatch.setattr(versions, "version", {"celery": "5.4.0"}.get)
    monkeypatch.setattr(versions, "LIBRARIES_OLDEST", {"celery": (5, 5)})
    *_, last = program_versions()
    assert (last.level, last.text) == ("error", "celery 5.4.0 is too old; 5.5 or later is needed")
