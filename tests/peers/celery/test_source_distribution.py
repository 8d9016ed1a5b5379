"""How celery's tests are fetched: once, and never without a word."""

import io
import subprocess
import tarfile
from pathlib import Path

import pytest

from tests.peers.celery import source_distribution
from tests.peers.celery.source_distribution import MEMBER, MODE, folder

VERSION = "5.7.0"


@pytest.fixture(autouse=True)
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(MODE, raising=False)
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:1/simple")
    monkeypatch.setenv("PIP_RETRIES", "0")
    monkeypatch.delenv("PIP_EXTRA_INDEX_URL", raising=False)
    monkeypatch.delenv("PIP_FIND_LINKS", raising=False)


def test_a_download_that_fails_fails_the_run_and_says_what_runs_without_it(tmp_path: Path) -> None:
    with pytest.raises(pytest.fail.Exception, match=rf"celery {VERSION}.*{MODE}=offline"):
        folder(tmp_path, VERSION)
    assert list(tmp_path.iterdir()) == []


def test_offline_skips_with_the_reason(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(MODE, "offline")
    with pytest.raises(pytest.skip.Exception, match=f"do not run.*{MODE}=offline"):
        folder(tmp_path, VERSION)


def test_a_second_run_needs_no_network(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = b"def test_beat(): ...\n"

    def download(version: str, to: Path) -> str:
        with tarfile.open(to / f"celery-{version}.tar.gz", "w:gz") as archive:
            member = tarfile.TarInfo(f"celery-{version}/{MEMBER}")
            member.size = len(text)
            archive.addfile(member, io.BytesIO(text))
        return ""

    with monkeypatch.context() as online:
        online.setattr(source_distribution, "_download", download)
        assert (folder(tmp_path, VERSION) / MEMBER).read_bytes() == text
    assert (folder(tmp_path, VERSION) / MEMBER).read_bytes() == text


def test_a_download_that_hangs_has_an_end(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def hang(command: list[str], *, timeout: float, **_: object) -> None:
        raise subprocess.TimeoutExpired(command, timeout)

    monkeypatch.setattr(subprocess, "run", hang)
    with pytest.raises(pytest.fail.Exception, match="it took more than 240 s"):
        folder(tmp_path, VERSION)
