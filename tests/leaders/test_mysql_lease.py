"""A lease in MariaDB: what only its driver can do."""

from collections.abc import Callable
from urllib.parse import urlsplit

import pymysql
import pytest
from sqlalchemy import make_url

from beatd.errors import StoreError
from beatd.leaders.databases import sql_lease
from beatd.stores.sql.mysql import Mysql
from tests.leaders.holders import LONG, holder

Server = Callable[[str], tuple[str, int]]


def test_a_lock_is_reached_by_the_socket_that_its_url_names(
    mariadb_url: str, server: Server
) -> None:
    host, port = server("mariadb")
    with pymysql.connect(host=host, port=port, user="root") as admin, admin.cursor() as cursor:
        cursor.execute("SELECT @@socket")
        (socket,) = cursor.fetchone() or ("",)
    name = urlsplit(mariadb_url).path
    lease, one = sql_lease(f"mysql://root@127.0.0.1:1{name}?unix_socket={socket}"), holder("one")
    assert lease.take(one, LONG) == one
    lease.close()


@pytest.mark.parametrize(
    "options",
    [
        "ssl_ca=ca.pem",
        "ssl_cert=a.pem&ssl_key=b.pem",
        "ssl_capath=/ca",
        "ssl_cipher=X",
        "ssl_check_hostname=false",
        "ssl_verify_identity=true",
        "ssl_disabled=1",
        "bind_address=127.0.0.2",
        "read_default_file=my.cnf&read_default_group=beat",
    ],
)
def test_an_option_means_the_same_for_the_lock_as_for_the_store(
    options: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[dict[str, object]] = []

    def connect(**named: object) -> None:
        asked.append(named)
        raise pymysql.OperationalError(2003, "nobody listens")

    monkeypatch.setattr(pymysql, "connect", connect)
    url = f"mysql://me:s3cret@host/beat?{options}"
    with pytest.raises(StoreError, match="nobody listens"):
        sql_lease(url).take(holder("one"), 2.0)
    engine = Mysql(make_url(url), 2.0).engine()
    with pytest.raises(pymysql.Error):
        engine.raw_connection()
    lock, store = asked
    reached = {name for name in store if not name.endswith("_timeout")} - {"client_flag", "charset"}
    assert {name: lock[name] for name in reached} == {name: store[name] for name in reached}
