"""One rule finds the configuration: -c and -A, else BEATD_CONFIG, else config.yaml here."""

from pathlib import Path

import pytest

from beatd.cli.config_option import config_file
from tests.cli.conftest import Beatd, Here

NEXT = ("next", "--cron", "30 2 * * *", "--from", "2027-01-10T00:00Z", "-n", 1)


@pytest.fixture
def other(here: Here) -> Path:
    """A configuration of another name, whose zone is Tokyo."""
    return here.file("other.yaml", 'broker: {url: "memory://"}\ntimezone: Asia/Tokyo\n')


@pytest.mark.parametrize(
    ("config", "app", "environment", "found"),
    [
        (None, None, None, "config.yaml"),
        (None, None, "e.yaml", "e.yaml"),
        (None, None, "", "config.yaml"),
        ("c.yaml", None, "e.yaml", "c.yaml"),
        ("c.yaml", "proj", "e.yaml", "c.yaml"),
        (None, "proj", "e.yaml", None),
        (None, "proj", None, None),
    ],
)
def test_the_rule(
    here: Here,
    monkeypatch: pytest.MonkeyPatch,
    config: str | None,
    app: str | None,
    environment: str | None,
    found: str | None,
) -> None:
    if environment is not None:
        monkeypatch.setenv("BEATD_CONFIG", environment)
    assert config_file(config, app) == found


def test_no_file_is_no_configuration(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("BEATD_CONFIG", raising=False)
    monkeypatch.chdir(tmp_path)
    assert config_file(None, None) is None


def test_an_expression_is_in_the_zone_of_the_config_here(here: Here, beatd: Beatd) -> None:
    assert "Europe/Berlin" in beatd(*NEXT).out


def test_an_expression_is_in_the_zone_of_the_environment_s_config(
    here: Here, beatd: Beatd, other: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BEATD_CONFIG", str(other))
    assert "Asia/Tokyo" in beatd(*NEXT).out
    assert "Europe/Berlin" in beatd(*NEXT, "-c", "config.yaml").out
    assert "Europe/Berlin" in beatd("-c", "config.yaml", *NEXT).out


def test_an_import_writes_to_the_store_of_the_config_here(here: Here, beatd: Beatd) -> None:
    crontab = here.file("crontab", "*/5 * * * * root /bin/true\n")
    ended = beatd("import", f"crontab:{crontab}", "--task", "t", "--user-column")
    assert ended.code == 0, ended.err
    assert len(here.names()) == 1


def test_every_other_command_uses_the_config_here(here: Here, beatd: Beatd) -> None:
    assert beatd("add", "x", "--task", "t", "--every", "1h").code == 0
    assert here.names() == ["x"]
    for words in (("list",), ("show", "x"), ("next", "x"), ("history",), ("check",), ("export",)):
        assert beatd(*words).code == 0, words


def test_a_store_is_used_with_the_zone_of_the_config_here(here: Here, beatd: Beatd) -> None:
    url = f"sqlite:///{here.folder}/other.db"
    assert beatd("add", "x", "--task", "t", "--every", "1h", "--store", url).code == 0
    assert '"Europe/Berlin"' in beatd("show", "x", "--store", url, "--json").out


def test_a_wrong_config_here_does_not_keep_from_a_store(here: Here, beatd: Beatd) -> None:
    here.file("config.yaml", "who: knows\n")
    url = f"sqlite:///{here.folder}/other.db"
    ended = beatd("add", "x", "--task", "t", "--every", "1h", "--store", url)
    assert ended.code == 0
    assert ended.line.startswith("beatd: note: config.yaml is not used: ")
    assert beatd("list", "--store", url, "-c", "config.yaml").code == 2


def test_a_file_of_the_config_here_is_checked_once(here: Here, beatd: Beatd) -> None:
    here.config("schedules: [schedules/]\n")
    here.file("schedules/a.yaml", "entries: {x: {task: t, every: 1h}}\n")
    ended = beatd("check", "schedules/a.yaml")
    assert ended.code == 0 and "1 entry in 2 files" in ended.out


@pytest.mark.parametrize("variable", [None, "other.yaml"])
def test_without_a_word_the_help_names_the_configuration(
    here: Here, beatd: Beatd, other: Path, variable: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    if variable:
        monkeypatch.setenv("BEATD_CONFIG", variable)
    ended = beatd()
    assert ended.code == 2 and "Commands:" in ended.out
    where = "other.yaml of BEATD_CONFIG" if variable else "config.yaml in this folder"
    last = ended.out.splitlines()[-1]
    start = f"start the daemon by `beatd run` or `beatd -c {variable or 'config.yaml'}`."
    assert last == f"The commands use {where}; {start}"


def test_without_a_word_and_a_configuration_the_help_says_so(
    beatd: Beatd, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert "No configuration is here" in beatd().out.splitlines()[-1]


def test_a_configuration_of_the_environment_that_does_not_exist_is_told(
    beatd: Beatd, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BEATD_CONFIG", f"{tmp_path}/none.yaml")
    said = f"BEATD_CONFIG names {tmp_path}/none.yaml, and there is no such file."
    assert beatd().out.splitlines()[-1] == said


@pytest.mark.parametrize("words", [("--help",), ("next", "--help"), ("import", "--help")])
def test_help_has_the_rule(beatd: Beatd, words: tuple[str, ...]) -> None:
    shown = " ".join(beatd(*words).out.split())
    assert "[default: $BEATD_CONFIG, else config.yaml in the current folder]" in shown
