"""Read YAML as plain data with line numbers and a limited size.

Unquoted values are read as in YAML 1.2, as editors do: 12:30, yes, no, on and off are text. A date
is read as a text (`Timestamp`), which is converted only in arguments. Keys are always text.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from beatd.config.environment import substituted
from beatd.config.located_data import List, Map
from beatd.config.yaml_scalars import resolved
from beatd.config.yaml_syntax import reader_problem, syntax_problem
from beatd.definition.argument_values import MAX_DEPTH as ARGUMENT_DEPTH
from beatd.definition.arguments import TYPES, timestamp, typed
from beatd.errors import ConfigError, Problem
from beatd.schedules.quote import quoted

MAX_FILE_BYTES = 10_000_000
# Arguments stand four levels below the top, and a Decimal or a UUID in them takes two more.
MAX_DEPTH = ARGUMENT_DEPTH + 10
MAX_ALIAS_VALUES = 100_000  # values that the aliases of one file may stand for
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

_TAGS = {
    "tag:yaml.org,2002:str",
    "tag:yaml.org,2002:int",
    "tag:yaml.org,2002:float",
    "tag:yaml.org,2002:bool",
    "tag:yaml.org,2002:null",
    "tag:yaml.org,2002:map",
    "tag:yaml.org,2002:seq",
    "!",
}
_VALUE_TAGS = {
    "tag:yaml.org,2002:binary": "base64",
    "!decimal": "decimal",
    "!time": "time",
    "!uuid": "uuid",
}
_TIMESTAMP = "tag:yaml.org,2002:timestamp"


class Read:
    """The data of a YAML file, and its problems.

    `data` is None if the file is empty or could not be read. `shown` is its path in messages.
    """

    def __init__(self, shown: str) -> None:
        self.shown = shown
        self.data: Any = None
        self.problems: list[Problem] = []
        self.unread: set[str] = set()  # places of values whose variable is not set

    def wrong(self, text: str, line: int | None = None) -> None:
        """Add an error to the problems of the file, with its line if the line is known."""
        place = self.shown if line is None else f"{self.shown}:{line}"
        self.problems.append(Problem(text, place=place))


def read_yaml(path: Path, shown: str, environment: Mapping[str, str]) -> Read:
    """Read a YAML file, and return its data and problems; an invalid file raises no exception.

    `shown` is the path as the user typed it. `environment` has the values of ${NAME} variables.
    """
    read = Read(shown)
    text = _text(path, read)
    if text is not None:
        parse_yaml(text, read, environment)
    return read


def parse_yaml(text: str, read: Read, environment: Mapping[str, str]) -> None:
    """Parse a YAML text, and store its data and its problems in `read`.

    `environment` has the values of ${NAME} variables. If the text is not valid YAML, `read.data`
    stays None.
    """
    try:
        read.data = _Builder(read, environment).document(yaml.parse(text, Loader=_LOADER))
    except _Refused as refused:
        read.wrong(refused.text, refused.line)
    except yaml.MarkedYAMLError as error:
        read.wrong(*syntax_problem(error, text, MAX_DEPTH))
    except yaml.YAMLError as error:
        read.wrong(*reader_problem(error, text))


def _text(path: Path, read: Read) -> str | None:
    try:
        if path.is_dir():
            read.wrong("is a folder; give a file")
            return None
        with path.open("rb") as file:
            raw = file.read(MAX_FILE_BYTES + 1)
    except OSError as error:
        hint = "; is the path right?" if isinstance(error, FileNotFoundError) else ""
        read.wrong(f"cannot be read: {(error.strerror or str(error)).lower()}{hint}")
        return None
    except ValueError:
        read.wrong("is not a path")
        return None
    if len(raw) > MAX_FILE_BYTES:
        read.wrong(f"is larger than {MAX_FILE_BYTES // 1_000_000} MB; split it into several files")
        return None
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        text = f"is not UTF-8: byte {raw[error.start]:#04x}; save the file as UTF-8"
        read.wrong(text, line)
        return None


class _Refused(Exception):
    """Raised for valid YAML that beatd does not accept, with its line."""

    def __init__(self, text: str, event: Any) -> None:
        self.text, self.line = text, _line(event)


class _Builder:
    """Builds plain data with line numbers from the events of a YAML parser.

    It replaces variables from `environment`, and adds problems to `read`. It raises _Refused if the
    data is nested too deeply or too large.
    """

    def __init__(self, read: Read, environment: Mapping[str, str]) -> None:
        self._read, self._environment = read, environment
        self._count = 0
        self._by_alias = 0
        self._anchors: dict[str, tuple[Any, int] | None] = {}  # None: in its own value

    def document(self, events: Iterator[Any]) -> Any:
        data = None
        documents = 0
        for event in events:
            if isinstance(event, yaml.DocumentStartEvent):
                documents += 1
                if documents > 1:
                    raise _Refused("a second document (---) begins here; one file is one", event)
            elif not isinstance(
                event, yaml.StreamStartEvent | yaml.StreamEndEvent | yaml.DocumentEndEvent
            ):
                data = self._value(event, events, 0)
        return data

    def _value(self, event: Any, events: Iterator[Any], depth: int) -> Any:
        if isinstance(event, yaml.AliasEvent):
            return self._alias(event)
        if event.tag is not None and event.tag not in _TAGS:
            self._refuse_tag(event)
        if depth > MAX_DEPTH:
            raise _Refused(
                f"is nested deeper than {MAX_DEPTH} levels; move it up some levels", event
            )
        before = self._count
        self._count += 1
        self._anchors.setdefault(event.anchor, None)  # no alias has the name None
        value: Any
        if isinstance(event, yaml.ScalarEvent):
            value = self._scalar(event)
        elif isinstance(event, yaml.SequenceStartEvent):
            value = List(_line(event))
            for inner in events:
                if isinstance(inner, yaml.SequenceEndEvent):
                    break
                value.lines.append(_line(inner))
                value.append(self._value(inner, events, depth + 1))
        else:
            value = self._mapping(event, events, depth)
        if event.anchor is not None:
            self._anchors[event.anchor] = (value, self._count - before)
        return value

    def _refuse_tag(self, event: Any) -> None:
        if event.tag not in _VALUE_TAGS and event.tag != _TIMESTAMP:
            known = "!!timestamp, !!binary, !decimal, !time and !uuid are"
            tag = quoted(event.tag.replace("tag:yaml.org,2002:", "!!"))
            raise _Refused(f"the tag {tag} is not used here ({known})", event)
        if not isinstance(event, yaml.ScalarEvent):
            raise _Refused(f"the tag {quoted(event.tag)} takes one value", event)

    def _mapping(self, event: Any, events: Iterator[Any], depth: int) -> Map:
        value = Map(_line(event))
        merges: list[tuple[Any, Any]] = []
        for key in events:
            if isinstance(key, yaml.MappingEndEvent):
                break
            if not isinstance(key, yaml.ScalarEvent):
                raise _Refused(
                    "a key is text, and this is a list, a mapping or an alias; put it in quotes",
                    key,
                )
            line = _line(key)
            inner = self._value(next(events), events, depth + 1)
            if key.value == "<<" and not key.style:
                merges.append((key, inner))
            elif key.value in value:
                first = value.lines[key.value]
                self._read.wrong(
                    f"{quoted(key.value)} is given twice (first on line {first})", line
                )
            else:
                value[key.value] = inner
                value.lines[key.value] = line
        for key, inner in merges:
            self._merge(value, key, inner)
        return value

    def _merge(self, into: Map, key: Any, merged: Any) -> None:
        for source in merged if isinstance(merged, List) else [merged]:
            if not isinstance(source, Map):
                raise _Refused("<< takes an alias of a mapping, or a list of them", key)
            for name, item in source.items():
                if name not in into:
                    into[name] = item
                    into.lines[name] = source.lines[name]

    def _alias(self, event: Any) -> Any:
        if event.anchor not in self._anchors:
            text = f"the alias *{event.anchor:.60} stands for nothing before it"
            raise _Refused(f"{text}; put a value that begins with * in quotes", event)
        if (found := self._anchors[event.anchor]) is None:
            text = f"the alias *{event.anchor:.60} stands inside its own value; write it out there"
            raise _Refused(text, event)
        value, size = found
        # A few lines of aliases of aliases can stand for billions of values.
        self._count += size
        self._by_alias += size
        if self._by_alias > MAX_ALIAS_VALUES:
            raise _Refused(
                f"aliases stand for more than {MAX_ALIAS_VALUES} values; use fewer of them", event
            )
        return value

    def _scalar(self, event: Any) -> Any:
        text: str = event.value
        if "${" in text:
            try:
                text = substituted(text, self._environment)
            except ConfigError as error:
                self._read.wrong(str(error), _line(event))
                self._read.unread.add(self._read.problems[-1].place)
        if event.tag in (None, "!"):
            return resolved(text) if event.implicit[0] else text
        if event.tag in _VALUE_TAGS:
            name = _VALUE_TAGS[event.tag]
            try:
                return typed(name, text)
            except ValueError:
                why = f"{quoted(text)} is not one; write it like {TYPES[name]}"
                raise _Refused(f"the tag {quoted(event.tag)}: {why}", event) from None
        if event.tag == _TIMESTAMP:
            if (moment := timestamp(text)) is None:
                why = f"{quoted(text)} is not one; write it like {TYPES['datetime']}"
                raise _Refused(f"the tag !!timestamp: {why}", event)
            return moment
        return text if event.tag.endswith(":str") else resolved(text)


def _line(event: Any) -> int:
    line: int = event.start_mark.line
    return line + 1
