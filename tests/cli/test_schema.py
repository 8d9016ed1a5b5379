"""The JSON Schema says what the reader says."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft7Validator

from beatd.config.json_schema import config_schema, entries_schema
from tests.cli.conftest import Beatd

ROOT = Path(__file__).parents[2]


def wrong(schema: dict[str, Any], data: Any) -> bool:
    # Through JSON, as an editor has it; YAML 1.1 dates are text there.
    return bool(
        list(Draft7Validator(schema).iter_errors(json.loads(json.dumps(data, default=str))))
    )


@pytest.mark.parametrize("schema", [config_schema(), entries_schema()])
def test_they_are_schemas(schema: dict[str, Any]) -> None:
    Draft7Validator.check_schema(schema)
    assert wrong(schema, "a text")


@pytest.mark.parametrize("what", ["config", "entries"])
def test_the_files_in_docs_are_what_the_command_prints(beatd: Beatd, what: str) -> None:
    assert beatd("schema", what).out == (ROOT / "docs" / "schema" / f"{what}.json").read_text()


def test_the_examples_are_right() -> None:
    assert not wrong(config_schema(), yaml.safe_load((ROOT / "config.example.yaml").read_text()))
    for path in (ROOT / "schedules").glob("*.yaml"):
        assert not wrong(entries_schema(), yaml.safe_load(path.read_text())), path


@pytest.mark.parametrize(
    "text",
    [
        "broker: redis://localhost",
        "app: proj.celery:app",
        "store: {url: '${STORE}'}\nlock: {ttl: '${TTL:-2s}'}",
        "http: null\nx-mine: {a: [1]}",
        "entries: {a: {task: t, every: {minutes: 5}, options: {queue: null, expires: next}}}",
        "entries: {a: {task: t, crontab: {minute: 0, hour: '*/3', day_of_week: [1, 2]}}}",
        "entries: {a: {task: t, solar: {event: sunset, lat: 31.2, lon: 121.5}}}",
        "entries: {a: {task: t, rrule: 'FREQ=DAILY', jitter: 1.5, catch_up: all, catch_up_max: 3}}",
        "entries: {a: {task: t, at: '2027-01-01T09:00:00+08:00'}}",
        "entries: {a: {task: t, every: 1, args: [2027-01-01, [{__type__: time, __value__: x}]]}}",
        "entries: {a: {task: t, every: 1, options: {headers: {x: {__type__: my, __value__: 1}}}}}",
    ],
)
def test_such_a_configuration_is_right(text: str) -> None:
    assert not wrong(config_schema(), yaml.safe_load(text))


@pytest.mark.parametrize(
    "text",
    [
        "brokr: redis://localhost",
        "broker: {urll: redis://localhost}",
        "log: {level: loud}",
        "history: {records: many}",
        "entries: [a]",
        "entries: {a: {every: 5s}}",
        "entries: {a: {task: t}}",
        "entries: {a: {task: t, every: 5s, cron: '* * * * *'}}",
        "entries: {a: {task: t, evry: 5s}}",
        "entries: {a: {task: t, every: soon}}",
        "entries: {a: {task: t, every: 5s, options: {priority: 256}}}",
        "entries: {a: {task: t, every: 5s, options: {expires: soon}}}",
        "entries: {a: {task: t, every: 5s, args: {}}}",
        "entries: {a: {task: t, every: 5s, args: [[{__type__: decimal, __value__: [1]}]]}}",
        "entries: {a: {task: t, every: 5s, catch_up: some}}",
        "entries: {a: {task: t, crontab: {minutes: 5}}}",
        "entries: {a: {task: t, solar: {event: noon, lat: 0, lon: 0}}}",
        "defaults: {task: t}",
    ],
)
def test_such_a_configuration_is_wrong(text: str) -> None:
    assert wrong(config_schema(), yaml.safe_load(text))


def test_an_entry_file_needs_entries() -> None:
    assert wrong(entries_schema(), {})
    assert wrong(entries_schema(), {"entries": {}, "broker": "x"})
