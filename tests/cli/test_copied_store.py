"""What commands say of a store that `beatd store copy` copied to another one."""

import re

import pytest

from tests.cli.conftest import Beatd, Here

NEW = "shelve:{folder}/new"


@pytest.fixture
def old(x: Here, beatd: Beatd) -> str:
    """The URL of the store of `config.yaml`, which was copied."""
    url = f"sqlite:///{x.folder}/beatd.db"
    assert beatd("store", "copy", url, NEW.format(folder=x.folder)).code == 0
    return url


def copied(here: Here) -> str:
    place = re.escape(NEW.format(folder=here.folder))
    return rf"copied to {place} at \d{{4}}-\d\d-\d\d \d\d:\d\d:\d\d"


def test_status_and_doctor_name_it(here: Here, old: str) -> None:
    out = " ".join(here("status", code=1).out.split())
    assert re.search(f"copied {copied(here).removeprefix('copied ')}", out)
    assert "nobody leads: the store was copied to another one" in out
    found = here.json("status", code=1)["copied_to"]
    assert found["store"] == NEW.format(folder=here.folder) and found["at"].endswith("Z")
    out = " ".join(here("doctor", code=1).out.split())
    assert re.search(rf"error store this store was {copied(here)} CES?T, and a daemon", out)
    assert "no daemon runs, so nothing is sent" not in out


@pytest.mark.parametrize("words", [("list",), ("add", "y", "--task", "t", "--every", "1h")])
def test_the_note_that_nobody_leads_names_it(here: Here, old: str, words: tuple[str, ...]) -> None:
    ended = here(*words)
    note = rf"note: no daemon runs on this store: it was {copied(here)} \S+; use that store: "
    assert re.search(f"{note}--store URL, or its configuration with -c", ended.err)
    assert "beatd run" not in ended.err


def test_why_begins_with_it(here: Here, old: str) -> None:
    answer = here.json("why", "x")
    begins = rf"the store was {copied(here)} \S+; no daemon runs here until `beatd store reopen`"
    assert answer["cause"] == "store copied"
    assert re.match(begins, answer["line"])
    assert "nobody leads" not in answer["line"]
    assert re.match(begins, " ".join(here("why", "x").out.split()))


def test_a_store_of_values_that_msgspec_writes_gets_the_mark(here: Here, beatd: Beatd) -> None:
    old, new = f"shelve:{here.folder}/old", f"sqlite:///{here.folder}/new.db"
    here("add", "x", "--task", "t", "--every", "1h", "--store", old)
    assert beatd("store", "copy", old, new).code == 0
    assert beatd("status", "--json", "--store", old).json["copied_to"]["store"] == new  # type: ignore[index]


def test_it_is_opened_again(here: Here, old: str) -> None:
    ended = here("store", "reopen")
    assert re.search(f"daemons may run on this store again; it was {copied(here)}", ended.out)
    assert "start none there" in ended.out
    assert here.json("status", code=1)["copied_to"] is None
    assert here("store", "reopen").out == "daemons may run on this store: it was not copied\n"
    assert here.json("store", "reopen") == {"copied_to": None}
    assert "copied" not in here("doctor").out


def test_reopen_as_json_has_the_removed_mark(here: Here, old: str) -> None:
    found = here.json("store", "reopen")["copied_to"]
    assert found["store"] == NEW.format(folder=here.folder) and found["at"].endswith("Z")


def test_reopen_works_on_the_store_itself(here: Here, beatd: Beatd) -> None:
    ended = beatd("store", "reopen", "--url", "http://127.0.0.1:1")
    assert ended.code == 2 and "leave out --url" in ended.line


def test_after_a_backup_it_stays_in_use(x: Here, beatd: Beatd) -> None:
    url, backup = f"sqlite:///{x.folder}/beatd.db", f"shelve:{x.folder}/backup"
    ended = beatd("store", "copy", "--backup", url, backup)
    assert ended.code == 0 and "copied; FROM stays in use, so start no daemon on TO" in ended.err
    for store in (url, backup):
        assert beatd("status", "--json", "--store", store).json["copied_to"] is None  # type: ignore[index]


def test_a_copy_made_with_a_password_and_a_prefix_is_named_without_and_with_it() -> None:
    from beatd.cli.store import shown_place
    from beatd.config import Store

    url = "redis://:secretpw@127.0.0.1:6379/0"
    assert shown_place(Store(url=url)) == "redis://:***@127.0.0.1:6379/0"
    shown = shown_place(Store(url=url, prefix="team:"))
    assert shown == "redis://:***@127.0.0.1:6379/0 (prefix team:)"
    assert shown_place(Store(url="sqlite:////b.db", prefix="team:")) == "sqlite:////b.db"


def test_a_copy_on_the_same_redis_is_named_with_its_prefix() -> None:
    from beatd.cli.store import shown_place
    from beatd.config import Store

    url = "redis://127.0.0.1:6379/0"
    shown = shown_place(Store(url=url), Store(url=url, prefix="team:"))
    assert shown == "redis://127.0.0.1:6379/0 (prefix beatd:)"
    assert shown_place(Store(url=url), Store(url="redis://127.0.0.1:6379/1", prefix="team:")) == url


def test_a_copy_that_is_copied_to_itself_by_another_name_gets_no_mark(
    x: Here, beatd: Beatd
) -> None:
    url, there = f"sqlite:///{x.folder}/beatd.db", f"sqlite:///{x.folder}/there.db"
    assert beatd("store", "copy", url, there).code == 0
    (x.folder / "link.db").symlink_to(x.folder / "there.db")
    ended = beatd("store", "copy", there, f"sqlite:///{x.folder}/link.db")
    assert ended.code == 1
    assert "FROM and TO are the same store; name another one for TO" in ended.err
    assert beatd("status", "--json", "--store", there).json["copied_to"] is None  # type: ignore[index]
