"""Options of a URL that nobody knows are refused in one line, before anything is opened."""

from pathlib import Path

import pytest

from beatd.clock import SystemClock
from beatd.config import load_config
from beatd.config.extras import missing_drivers
from beatd.definition import codec
from beatd.errors import ConfigError
from beatd.wiring.backends import open_lease, open_store

BOGUS = [
    ("store", "sqlite:///b.db?bogus=1", "sqlite: has no options, and 'bogus' is one; remove it"),
    ("store", "shelve:shelf?bogus=1", "shelve: has no options"),
    ("store", "memory:?bogus=1", "memory: has no options"),
    ("store", "mysql://me:s3cret@h/d?chraset=x", "mysql: has no option 'chraset'; did you mean"),
    ("store", "redis://:s3cret@h/0?bogus=1", "redis: has no option 'bogus'; known are db, "),
    ("store", "rediss://h/0?ssl_cert_req=none", "did you mean ssl_cert_reqs?"),
    ("store", "sentinel://h:1;i:2/main?bogus=1", "sentinel: has no option 'bogus'; known are"),
    ("store", "redis+cluster://h?db=1", "redis+cluster: has no option 'db'"),
    ("store", "rediss://h/0?ssl_cert_reqs=xyz", "ssl_cert_reqs: 'xyz'; try one of none, optional"),
    ("store", "rediss://h/0?ssl_cert_reqs=CERT_NONE", "ssl_cert_reqs: 'CERT_NONE'; try one of"),
    ("store", "sentinel://h:1/main?ssl_cert_reqs=xyz", "ssl_cert_reqs: 'xyz'; try one of"),
    ("store", "rediss+cluster://h?ssl_cert_reqs=xyz", "ssl_cert_reqs: 'xyz'; try one of"),
    ("lock", "rediss://h/0?ssl_cert_reqs=", "ssl_cert_reqs: ''; try one of"),
    ("broker", "rediss://h/0?ssl_cert_reqs=xyz", "ssl_cert_reqs: 'xyz'; try one of"),
    ("store", "shelve:pa?ss=s3cret@h/0", "has a ? before its @"),
    ("lock", "file:lock?bogus=1", "file: has no options"),
    ("lock", "sqlite:///l.db?bogus=1", "sqlite: has no options"),
    ("lock", "redis://h/0?pwd=s3cret", "redis: has no option 'pwd'; known are db, username, pass"),
    ("lock", "mysql://h/d?bogus=1", "mysql: has no option 'bogus'"),
    ("broker", "redis://:s3cret@h/0?bogus=1", "redis: has no option 'bogus'; known are userid, "),
    ("broker", "amqp://me:s3cret@h//?hartbeat=5", "did you mean heartbeat?; others go under"),
    ("broker", "amqp://h//;amqp://i//?bogus=1", "amqp: has no option 'bogus'"),
    ("broker", "filesystem://?bogus=1", "filesystem: has no option 'bogus'"),
    ("broker", "memory://?bogus=1", "memory: has no option 'bogus'"),
]


@pytest.mark.parametrize(("section", "url", "said"), BOGUS)
def test_an_option_that_is_not_known_is_refused_where_it_is_written(
    tmp_path: Path, section: str, url: str, said: str
) -> None:
    broker = "" if section == "broker" else "broker: memory://\n"
    path = tmp_path / "c.yaml"
    path.write_text(f"{broker}{section}: {{url: '{url}'}}\n")
    with pytest.raises(ConfigError) as refusal:
        load_config(path)
    line = str(refusal.value)
    assert said in line and f"{section}.url" in line and "c.yaml:" in line
    assert "s3cret" not in line and "\n" not in line


@pytest.mark.parametrize(("section", "url", "said"), [b for b in BOGUS if b[0] != "broker"])
def test_it_is_refused_as_well_where_there_is_no_file(section: str, url: str, said: str) -> None:
    with pytest.raises(ConfigError) as refusal:
        if section == "store":
            open_store(url, codec=codec, clock=SystemClock())
        else:
            open_lease(url)
    assert said in str(refusal.value) and "s3cret" not in str(refusal.value)


@pytest.mark.parametrize(
    ("section", "url"),
    [
        ("store", "redis://h/0?socket_timeout=1&ssl_cert_reqs=none"),
        ("store", "sentinel://h:1/main?sentinel_password=x&db=2"),
        ("store", "rediss+cluster://h?ssl_ca_certs=/ca.pem"),
        ("store", "mysql://h/d?charset=utf8mb4&ssl_ca=/ca.pem"),
        ("store", "postgresql://h/d?sslmode=require&pooler=transaction"),
        ("lock", "redis://h/0?db=1"),
        ("broker", "rediss://h/0?ssl_cert_reqs=required"),
        ("broker", "rediss://h/0?ssl_cert_reqs=CERT_NONE"),
        ("broker", "amqp://h//?heartbeat=10"),
        ("broker", "sqla+sqlite:///q.db?timeout=5"),
        ("broker", "mongodb://h/d?replicaSet=x"),
    ],
)
def test_an_option_that_its_driver_knows_is_read(tmp_path: Path, section: str, url: str) -> None:
    broker = "" if section == "broker" else "broker: memory://\n"
    path = tmp_path / "c.yaml"
    path.write_text(f"{broker}{section}: {{url: '{url}'}}\n")
    config = load_config(path).config
    assert getattr(config, section).url.endswith(url.partition("?")[2])


@pytest.mark.parametrize("scheme", ["mongodb", "kafka", "zookeeper", "etcd", "azureservicebus"])
def test_a_broker_whose_library_is_missing_is_told_with_what_installs_it(
    tmp_path: Path, scheme: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("beatd.config.extras.find_spec", lambda library: None)
    path = tmp_path / "c.yaml"
    path.write_text(f"broker: {scheme}://h/\n")
    (problem,) = missing_drivers(load_config(path).config)
    assert "broker.url" in str(problem) and "pip install 'kombu[" in str(problem)


def test_sqs_names_its_extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("beatd.config.extras.find_spec", lambda library: None)
    path = tmp_path / "c.yaml"
    path.write_text("broker: sqs://\n")
    (problem,) = missing_drivers(load_config(path).config)
    assert "pip install 'beatd[sqs]'" in str(problem)
