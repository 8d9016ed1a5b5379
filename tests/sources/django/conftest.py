"""A real Django project with django-celery-beat and its admin, on each database in turn."""

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple
from uuid import uuid4

import pytest

django = pytest.importorskip("django")
pytest.importorskip("django_celery_beat")

from django.conf import settings  # noqa: E402  # after the skip

settings.configure(
    SECRET_KEY="not a secret",
    USE_TZ=True,
    TIME_ZONE="UTC",
    DEFAULT_AUTO_FIELD="django.db.models.AutoField",
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}},
    ROOT_URLCONF="tests.sources.django.urls",
    ALLOWED_HOSTS=["*"],
    INSTALLED_APPS=[
        "django.contrib.admin",
        "django.contrib.auth",
        "django.contrib.contenttypes",
        "django.contrib.messages",
        "django.contrib.sessions",
        "django_celery_beat",
    ],
    MIDDLEWARE=[
        "django.contrib.sessions.middleware.SessionMiddleware",
        "django.contrib.auth.middleware.AuthenticationMiddleware",
        "django.contrib.messages.middleware.MessageMiddleware",
    ],
    TEMPLATES=[
        {
            "BACKEND": "django.template.backends.django.DjangoTemplates",
            "APP_DIRS": True,
            "OPTIONS": {
                "context_processors": [
                    "django.template.context_processors.request",
                    "django.contrib.auth.context_processors.auth",
                    "django.contrib.messages.context_processors.messages",
                ]
            },
        }
    ],
)
django.setup()

from django.contrib.contenttypes.models import ContentType  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.db import connections  # noqa: E402

from tests.sources.django.live import Live  # noqa: E402

KINDS = ("sqlite", "postgresql", "pgbouncer", "mysql")


class Place(NamedTuple):
    """A database that Django has migrated, and how to be rid of it."""

    url: str
    settings: dict[str, Any]
    drop: Callable[[], None]


@pytest.fixture(scope="session")
def places() -> Iterator[dict[str, Place]]:
    """Made when first asked for: migrating costs seconds."""
    made: dict[str, Place] = {}
    yield made
    connections["default"].close()
    for place in made.values():
        place.drop()


@pytest.fixture(params=KINDS)
def database(
    request: pytest.FixtureRequest,
    places: dict[str, Place],
    tmp_path_factory: pytest.TempPathFactory,
    server: Callable[[str], tuple[str, int]],
) -> Iterator[str]:
    """The URL of an empty database of django-celery-beat; Django's own connection is to it."""
    kind = request.param
    fresh = kind not in places
    if fresh:
        places[kind] = _place(kind, tmp_path_factory, server)
    place = places[kind]
    connections["default"].close()
    connections.settings["default"] = connections.databases["default"] = (
        connections.configure_settings({"default": place.settings})["default"]
    )
    del connections["default"]
    if fresh:
        call_command("migrate", verbosity=0, interactive=False)
    yield place.url
    with connections["default"].cursor() as cursor:
        for name in connections["default"].introspection.table_names(cursor):
            if name.startswith("beatd_"):
                cursor.execute(f"DROP TABLE {name}")
    # Without the rows of permissions, which no test needs, and which take longer than most tests.
    call_command("flush", verbosity=0, interactive=False, inhibit_post_migrate=True)
    ContentType.objects.clear_cache()  # it holds ids of rows that are gone
    connections["default"].close()


def _place(
    kind: str, folders: pytest.TempPathFactory, server: Callable[[str], tuple[str, int]]
) -> Place:
    name = f"dcb_{uuid4().hex[:8]}"
    engine = {"ENGINE": f"django.db.backends.{kind}"}
    if kind == "sqlite":
        file = folders.mktemp("django") / "django.db"
        engine = {"ENGINE": "django.db.backends.sqlite3"}
        return Place(f"sqlite:///{file}", {**engine, "NAME": str(file)}, lambda: None)
    if kind in ("postgresql", "pgbouncer"):
        host, port = server("postgresql")
        engine = {"ENGINE": "django.db.backends.postgresql"}
        there = {"NAME": name, "USER": "postgres", "HOST": host, "PORT": port}
        url = f"postgresql://postgres@{host}:{server(kind)[1]}/{name}"
        return Place(url, {**engine, **there}, _postgresql(host, port, name))
    pymysql = pytest.importorskip("pymysql")
    pymysql.version_info = (2, 2, 4, "final", 0)  # what Django asks of mysqlclient
    pymysql.install_as_MySQLdb()
    host, port = server("mariadb")
    there = {"NAME": name, "USER": "root", "HOST": host, "PORT": port}
    url = f"mysql://root@{host}:{port}/{name}"
    return Place(url, {**engine, **there}, _mysql(pymysql, host, port, name))


def _postgresql(host: str, port: int, name: str) -> Callable[[], None]:
    psycopg = pytest.importorskip("psycopg")

    def run(statement: str) -> None:
        with psycopg.connect(f"postgresql://postgres@{host}:{port}/test", autocommit=True) as db:
            db.execute(statement)

    run(f"CREATE DATABASE {name}")
    return lambda: run(f"DROP DATABASE {name} WITH (FORCE)")


def _mysql(pymysql: Any, host: str, port: int, name: str) -> Callable[[], None]:
    def run(statement: str) -> None:
        db = pymysql.connect(host=host, port=port, user="root")
        try:
            with db.cursor() as cursor:
                cursor.execute(statement)
        finally:
            db.close()

    run(f"CREATE DATABASE {name} CHARACTER SET utf8mb4")
    return lambda: run(f"DROP DATABASE {name}")


@pytest.fixture
def live(database: str) -> Iterator[Live]:
    made = Live(database)
    try:
        yield made
    finally:
        made.close()
