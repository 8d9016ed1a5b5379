"""Write entries as YAML that every YAML parser reads in the same way."""

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any
from uuid import UUID

import yaml

from beatd.cli.escapes import visible
from beatd.definition import plain_of
from beatd.definition.arguments import tagged, timestamp
from beatd.entry import Entry

# Other text is quoted: some reader takes 12:30, no or 1e3 for a number or a flag.
_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_./-]*( [A-Za-z0-9_./-]+)*")
_FLAG = re.compile(r"(?i:y|n|yes|no|on|off|true|false|null|\.inf|\.nan)")


class _Dumper(getattr(yaml, "CSafeDumper", yaml.SafeDumper)):  # type: ignore[misc]
    def ignore_aliases(self, data: Any) -> bool:
        return True


def _text(dumper: Any, text: str) -> Any:
    plain = _PLAIN.fullmatch(text) and not _FLAG.fullmatch(text)
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=None if plain else '"')


def _timestamp(dumper: Any, value: date) -> Any:
    return dumper.represent_scalar("tag:yaml.org,2002:timestamp", value.isoformat())


_Dumper.add_representer(str, _text)
_Dumper.add_representer(date, _timestamp)
_Dumper.add_representer(datetime, _timestamp)


def yaml_of(value: Any) -> str:
    """Return a value as YAML text, one key per line; innermost lists and dicts stay on one line."""
    text: str = yaml.dump(
        _writable(value),
        Dumper=_Dumper,
        sort_keys=False,
        allow_unicode=True,
        width=2**31 - 1,
        default_flow_style=None,
    )
    return visible(text)  # these characters are in double quotes, where YAML has the same escapes


def file_of(entries: Iterable[Entry]) -> Iterator[str]:
    """Yield the text of an entry file that `beatd apply` reads, entry by entry.

    Its first line, `defaults: false`, keeps the defaults of a configuration out.
    """
    empty = True
    for entry in entries:
        if empty:
            yield "defaults: false\nentries:\n"
            empty = False
        text = yaml_of({entry.name: plain_of(entry)})
        yield "".join(f"  {line}\n" for line in text.splitlines())
    if empty:
        yield "entries: {}\n"


def _writable(value: Any) -> Any:
    """Return the value in a form that YAML can hold and that beatd reads back unchanged.

    `${` becomes `$${`. Decimals, UUIDs and times become {"__type__": …, "__value__": …}.
    """
    if isinstance(value, str):
        return value.replace("${", "$${")
    if isinstance(value, Mapping):
        return {key: _writable(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_writable(item) for item in value]
    if isinstance(value, date) and timestamp(value.isoformat()) is not None:
        return value
    if isinstance(value, date | time | Decimal | UUID):
        return _writable(tagged(value))
    return value
