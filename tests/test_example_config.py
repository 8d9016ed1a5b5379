"""config.example.yaml says every setting there is, and runs as it is."""

from pathlib import Path

from beatd.config import examine, load_entries
from beatd.config.located_data import Map
from beatd.config.settings import KEYS, SECTIONS
from beatd.config.yaml import read_yaml
from beatd.definition import FIELDS

ROOT = Path(__file__).parents[1]
EXAMPLE = ROOT / "config.example.yaml"


def test_it_is_right_without_a_warning() -> None:
    assert examine(EXAMPLE, environment={}).problems == ()


def test_the_samples_are_right_without_a_warning() -> None:
    config = examine(EXAMPLE, environment={}).config
    assert config is not None
    loaded = load_entries(
        config.schedules, folder=config.folder, timezone=config.timezone, defaults=config.defaults
    )
    assert loaded.problems == () and len(loaded.entries) > 5


def test_it_lists_every_setting() -> None:
    data = read_yaml(EXAMPLE, "example", {}).data
    assert set(data) == set(KEYS)
    for name, fields in SECTIONS.items():
        assert set(data[name]) == {field.name for field in fields}, name
    entry = next(iter(data["entries"].values()))
    kinds = {"every"}
    assert set(entry) == {field.name for field in FIELDS} | kinds


def test_what_is_not_said_to_differ_is_at_its_default() -> None:
    data = read_yaml(EXAMPLE, "example", {}).data
    differ = {"broker.url", "broker.transport_options", "store.url", "http.bind"}
    for name, fields in SECTIONS.items():
        for field in fields:
            if f"{name}.{field.name}" not in differ:
                assert data[name][field.name] == field.default, f"{name}.{field.name}"
    entry = data["entries"]["demo-add"]
    for field in FIELDS:
        if field.name not in ("task", "tz", "args", "grace"):
            assert entry[field.name] == field.default, field.name


def test_every_setting_has_its_why() -> None:
    """A comment above it, or above the first of a row of settings."""
    lines = EXAMPLE.read_text().splitlines()
    unsaid = {"url_file", "password_file", "phase", "end", "catch_up_max", "kwargs", "format"}
    data = read_yaml(EXAMPLE, "example", {}).data
    entry = data["entries"]["demo-add"]
    for mapping in (data, *(data[name] for name in SECTIONS), entry):
        assert isinstance(mapping, Map)
        for key, line in mapping.lines.items():
            above = lines[line - 2].strip() if line > 1 else ""
            assert above.startswith("#") or key in unsaid or key in ("records", "keep"), key


def test_editors_find_the_schema_of_every_example() -> None:
    for path in (EXAMPLE, *(ROOT / "schedules").glob("*.yaml")):
        (modeline,) = [line for line in path.read_text().splitlines() if "$schema=" in line]
        assert modeline.startswith("# yaml-language-server: $schema=")
        assert (path.parent / modeline.partition("$schema=")[2]).is_file()


def test_the_samples_say_that_they_are_data_only() -> None:
    for path in (ROOT / "schedules").iterdir():
        assert path.suffix == ".yaml"
        assert "data only" in path.read_text().partition("\n")[0].lower()
