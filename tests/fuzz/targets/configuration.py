"""Configuration and entry files, and the arguments of the command line."""

import json
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import click

from beatd.cli.entry_options import read_json, read_steps
from beatd.config import examine, load_config, load_entries
from beatd.definition import FIELDS, KINDS, check, codec, entry_from
from beatd.definition.arguments import same
from beatd.errors import BeatError, ConfigError, Problem
from tests.fuzz.target import Call, Target
from tests.fuzz.targets.files import blocks, example
from tests.fuzz.targets.texts import direct

ENVIRONMENT = {"X": "x", "PASSWORD": "s3cr3t: {[", "EMPTY": ""}
TYPE_WORDS = (
    "__type__",
    "__value__",
    "date",
    "datetime",
    "time",
    "bytes",
    "base64",
    "decimal",
    "uuid",
    "2027-01-01",
)
LINE_CHARS_MAX = 2000
WORDS = (*KINDS, *(field.name for field in FIELDS), "entries:", "defaults:", "timezone:", "task:", "  ", "\n", "- ", "{", "}", "[", "]", "|", ">", "?", "!!binary ", "!!timestamp ", "!!set", "---", "...", "%YAML 1.1\n", "<<: *a")  # fmt: skip


def lines_of(problems: tuple[Problem, ...]) -> str:
    """Return the first problem in short, after checking that all are single readable lines."""
    for problem in problems:
        line = str(problem)
        assert "\n" not in line and "\r" not in line, repr(line)
        assert len(line) < LINE_CHARS_MAX, f"a line of {len(line)} characters"
        line.encode()  # it can be printed
    return f"{len(problems)} {problems[0].text[:40]}" if problems else "well"


def _in_file(call: Callable[[Path], str]) -> Callable[[Path], AbstractContextManager[Call]]:
    @contextmanager
    def opened(folder: Path) -> Iterator[Call]:
        path = folder / "input.yaml"

        def of_bytes(data: bytes) -> str:
            path.write_bytes(data)
            return call(path)

        yield of_bytes

    return opened


def _config(path: Path) -> str:
    examined = examine(path, environment=ENVIRONMENT)
    said = lines_of(examined.problems)
    try:
        load_config(path, environment=ENVIRONMENT)
        assert examined.valid
    except ConfigError as error:
        assert not examined.valid
        lines_of(tuple(error.problems))
    return said


def _entries(path: Path) -> str:
    read = load_entries([str(path)], environment=ENVIRONMENT)
    for entry in read.entries:
        stored = codec.encode(entry)
        assert same(codec.decode(entry.name, stored, entry.source, entry.declared_at), entry)
    return lines_of(read.problems)


def _arguments(data: bytes) -> str:
    args, _, rest = data.decode(errors="surrogateescape").partition("\n")
    kwargs, _, steps = rest.partition("\n")
    fields: dict[str, object] = {"every": "1h"}
    if args:
        fields["args"] = read_json("args", args)
    if kwargs:
        fields["kwargs"] = read_json("kwargs", kwargs)
    if steps:
        fields["chain"] = read_steps("chain", steps)
    else:
        fields["task"] = "t"
    entry = entry_from("a", fields)
    assert same(codec.decode("a", codec.encode(entry), "cli", ""), entry)
    return "well"


def _definition(data: bytes) -> str:
    try:
        plain = json.loads(data)
    except (ValueError, RecursionError):
        return "no JSON"
    name = "a"
    if isinstance(plain, dict) and "name" in plain:
        name = plain.pop("name")
    checked = check(name, plain)
    said = lines_of(checked.problems)
    if checked.entry is None:
        assert any(not problem.warning for problem in checked.problems)
        return said
    stored = codec.encode(checked.entry)
    assert same(codec.decode(checked.entry.name, stored, "cli", ""), checked.entry)
    return said


def _entry_files() -> Iterator[bytes]:
    yield from blocks("yaml")
    yield b"entries:\n  a: {task: t, every: 5m, args: [1, 2.5, 2027-01-01, null], kwargs: {a: &x [1], b: *x}}\n"
    yield b"timezone: Europe/Berlin\ndefaults: {options: {queue: q}}\nentries:\n  b:\n    task: t\n    cron: '*/5 * * * *'\n    tz: ${X:-UTC}\n"
    yield b"entries:\n  c: {chain: [p.a, {task: p.b, args: [1]}], rrule: FREQ=DAILY, overlap: skip, max_run: 1h}\n"


def _argument_lines() -> Iterator[bytes]:
    yield b'[2, 2]\n{"full": true}'
    yield b'[1.5, null, "a", {"__type__": "datetime", "__value__": "2027-01-01T00:00:00"}]\n{}'
    yield b'[18446744073709551616, -0.0, 1e308]\n{"a": [[[]]]}'
    yield b'\n\n[proj.a, {"task": "proj.b", "args": [1]}]'
    yield b'\n\n[{"group": ["a", {"chord": {"header": ["b"], "body": "c"}}]}]'


def definitions() -> Iterator[bytes]:
    """Yield entries in JSON, as `check` takes them."""
    whens = (
        {"every": "30s"}, {"every": 0.5, "spread": True}, {"every": "1h", "phase": "7s"}, {"cron": "30 2 * * mon-fri"}, {"cron": "H H(0-3) * * *"},
        {"crontab": {"minute": "0", "hour": "*/3"}}, {"at": "2027-01-01"}, {"rrule": "FREQ=MONTHLY;BYDAY=-1FR;BYHOUR=17"},
        {"solar": {"event": "sunset", "lat": 31.2, "lon": 121.5}},
    )  # fmt: skip
    more = (
        {"args": [1, "a", None], "kwargs": {"a": {"b": [1.5]}}, "options": {"queue": "q", "priority": 5, "expires": "1h", "headers": {"x": 1}}},
        {"tz": "Europe/Berlin", "start": "2026-01-01", "end": "2030-01-01T00:00:00Z", "max_runs": 3, "jitter": "9s", "dst_gap": "skip", "dst_fold": "both"},
        {"catch_up": "all", "catch_up_window": "10m", "catch_up_max": 5, "grace": "0s", "on_unknown": "skip", "overlap": "queue", "max_run": "1h"},
        {"alert": {"failed": 3, "late": "1m", "missing": "26h"}, "monitor": {"ping": "https://hc-ping.com/2ab5c1d2"}, "description": "a", "enabled": False},
        {"chain": ["p.a", {"task": "p.b", "args": [1]}], "name": "x y"},
        {"args": [{"__type__": "date", "__value__": "2027-01-01"}], "kwargs": {"a": {"__type__": "uuid", "__value__": "x"}}},
        {"chord": {"header": ["a", {"group": ["b"]}], "body": "c"}},
    )  # fmt: skip
    for when in whens:
        for one in more:
            task = {} if "chain" in one or "chord" in one else {"task": "proj.t"}
            yield json.dumps({**task, **when, **one}).encode()


def _configs() -> Iterator[bytes]:
    yield example()
    yield from blocks("yaml")


TARGETS = (
    Target(
        name="config", about="a configuration file", seeds=_configs, opened=_in_file(_config),
        words=(*WORDS, "broker:", "store:", "lock:", "http:", "log:", "alerts:", "monitors:", "url:", "redis://", "sqlite:///", "amqp://", "${X}", "x-a:"),
        weight=20,
    ),
    Target(
        name="entries", about="an entry file", seeds=_entry_files, opened=_in_file(_entries),
        words=WORDS, weight=5,
    ),
    Target(
        name="arguments", about="the texts of --args, --kwargs and --chain",
        seeds=_argument_lines, opened=direct(_arguments), weight=2,
        words=(*TYPE_WORDS, '"task"', '"args"', "group", "chord", "header", "body"),
        refusals=(BeatError, click.UsageError),
    ),
    Target(
        name="definition", about="an entry of JSON values of any type, as files and the API give it",
        seeds=definitions, opened=direct(_definition), words=(*WORDS[:-18], *TYPE_WORDS), weight=2,
    ),
)  # fmt: skip
