"""Zones that are kept in memory are those of the files."""

from collections.abc import Iterator
from datetime import datetime
from errno import EMFILE
from importlib import import_module

import pytest
import pytz
from msgspec import json

from beatd.definition import codec
from beatd.errors import ScheduleError, StoreError

zone = import_module("beatd.schedules.zone")  # the package has a function of this name


@pytest.fixture
def kept(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """All zones are kept, and their files are gone."""
    monkeypatch.setattr(zone, "_kept", {})
    monkeypatch.setattr(zone, "_spelled", {})
    forget()
    zone.preload_zones()

    def gone(name: str) -> None:
        raise FileNotFoundError(name)

    monkeypatch.setattr(pytz, "open_resource", gone)
    monkeypatch.setattr(pytz, "_tzinfo_cache", {})
    yield
    monkeypatch.undo()
    forget()


def forget() -> None:
    for function in (zone._zone, zone._known, zone.offsets):
        function.cache_clear()


def seen(name: str) -> tuple[object, ...]:
    found = zone.offsets(zone.zone_name(name))
    noon = datetime(2100, 7, 1, 12, tzinfo=zone.zone(name))
    return found.at, found.off, noon.utcoffset(), zone.zone_name(name.lower())


SOME = ["Europe/Berlin", "America/Caracas", "Africa/Casablanca", "UTC", "Etc/GMT-8", "Zulu"]
BY_FILE = {name: seen(name) for name in SOME}


@pytest.mark.parametrize("name", SOME)
def test_a_zone_that_is_kept_is_the_same_as_by_its_file(kept: None, name: str) -> None:
    assert seen(name) == BY_FILE[name]


def test_every_zone_is_kept(kept: None) -> None:
    for name in pytz.all_timezones:
        assert zone.zone_name(name.upper()) == name
        assert zone.offsets(name).at


def test_an_unknown_zone_is_still_refused(kept: None) -> None:
    with pytest.raises(ScheduleError, match="did you mean Europe/Berlin"):
        zone.zone_name("Europe/Berln")


def test_without_a_descriptor_a_zone_is_not_taken_for_unknown(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def scarce(name: str) -> None:
        raise OSError(EMFILE, "Too many open files")

    definition = json.encode({"task": "t", "cron": "1 2 3 4 *", "tz": "Pacific/Chatham"})
    with monkeypatch.context() as exhausted:
        exhausted.setattr(zone, "_kept", {})
        exhausted.setattr(zone, "_spelled", {})
        exhausted.setattr(pytz, "_tzinfo_cache", {})
        exhausted.setattr(pytz, "open_resource", scarce)
        forget()
        with pytest.raises(StoreError, match="'tidy' cannot be read now: Too many open files"):
            codec.decode("tidy", definition, "cli", "")
    assert codec.decode("tidy", definition, "cli", "").tz == "Pacific/Chatham"
