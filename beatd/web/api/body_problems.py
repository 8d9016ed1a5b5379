"""Find every mistake in the JSON body of a request, in the words of `beatd check`."""

import re
from collections.abc import Iterator
from functools import lru_cache
from itertools import islice
from typing import Any

from msgspec import Struct, inspect

from beatd.errors import Problem, nearest
from beatd.schedules.quote import quoted
from beatd.web.api.refusal import MISTAKES_MAX

#: The key of a type's `Meta(extra=…)` that has the words for a text that its pattern refuses.
WORDS = "words"


def body_problems(plain: Any, type: type[Struct]) -> list[Problem]:
    """Return the mistakes in a body that is to become the struct `type`, at most MISTAKES_MAX.

    The path of a problem leads to the wrong value, or to the member that is missing.
    """
    return list(islice(_problems(plain, _type_info(type)), MISTAKES_MAX))


@lru_cache
def _type_info(type: type[Struct]) -> inspect.Type:
    return inspect.type_info(type)


def _problems(value: Any, wanted: inspect.Type) -> Iterator[Problem]:
    words = ""
    if isinstance(wanted, inspect.Metadata):
        words = (wanted.extra or {}).get(WORDS, "")
        wanted = wanted.type
    match wanted:
        case inspect.UnionType():
            yield from _problems_of_union(value, wanted)
        case inspect.StructType():
            yield from _problems_of_struct(value, wanted)
        case inspect.DictType():
            yield from _problems_of_dict(value, wanted)
        case inspect.ListType():
            yield from _problems_of_list(value, wanted)
        case inspect.StrType():
            yield from _problems_of_text(value, wanted, words)
        case inspect.IntType():
            if (
                isinstance(value, bool)
                or not isinstance(value, int)
                or not _is_within(value, wanted)
            ):
                yield Problem(f"{quoted(value)} is not a whole number{_bounds(wanted)}")
        case inspect.BoolType():
            if not isinstance(value, bool):
                yield Problem(f"{quoted(value)} is neither true nor false")
        case inspect.LiteralType():
            if not any(value is one or value == one for one in wanted.values):
                allowed = [str(one) for one in wanted.values]
                hint = nearest(str(value), allowed)
                yield Problem(f"{quoted(value)} is not one of {', '.join(allowed)}{hint}")
        case inspect.NoneType():
            if value is not None:
                yield Problem(f"{quoted(value)} is not null")


def _problems_of_union(value: Any, wanted: inspect.UnionType) -> Iterator[Problem]:
    # Of the type that is written first, if the value fits none.
    found = [list(_problems(value, one)) for one in wanted.types]
    if all(found):
        yield from found[0]


def _problems_of_struct(value: Any, wanted: inspect.StructType) -> Iterator[Problem]:
    if not isinstance(value, dict):
        yield Problem(f"{quoted(value)} is not a mapping")
        return
    fields = {one.encode_name: one for one in wanted.fields}
    for key in value:
        if key not in fields:
            yield Problem(f"is not a member of this request{nearest(key, fields)}", (key,))
    for key, one in fields.items():
        if key in value:
            yield from _under(key, _problems(value[key], one.type))
        elif one.required:
            yield Problem("is missing", (key,))


def _problems_of_dict(value: Any, wanted: inspect.DictType) -> Iterator[Problem]:
    if not isinstance(value, dict):
        yield Problem(f"{quoted(value)} is not a mapping")
        return
    for key, item in value.items():
        yield from _under(key, _problems(item, wanted.value_type))


def _problems_of_list(value: Any, wanted: inspect.ListType) -> Iterator[Problem]:
    if not isinstance(value, list):
        yield Problem(f"{quoted(value)} is not a list")
        return
    if wanted.max_length is not None and len(value) > wanted.max_length:
        yield Problem(f"has {len(value):,} items; at most {wanted.max_length:,} will do")
        return
    for index, item in enumerate(value):
        yield from _under(index, _problems(item, wanted.item_type))


def _problems_of_text(value: Any, wanted: inspect.StrType, words: str) -> Iterator[Problem]:
    if not isinstance(value, str):
        yield Problem(f"{quoted(value)} is not text")
    elif len(value) < (wanted.min_length or 0):
        yield Problem("is empty")
    elif wanted.max_length is not None and len(value) > wanted.max_length:
        most = f"at most {wanted.max_length:,} will do"
        yield Problem(f"is {len(value):,} characters long; {most}")
    elif wanted.pattern is not None and re.search(wanted.pattern, value) is None:
        yield Problem(f"{quoted(value)} {words or 'has a zero byte in it'}")


def _under(key: str | int, problems: Iterator[Problem]) -> Iterator[Problem]:
    return (one.under(key) for one in problems)


def _is_within(value: int, wanted: inspect.IntType) -> bool:
    return (wanted.ge is None or value >= wanted.ge) and (wanted.le is None or value <= wanted.le)


def _bounds(wanted: inspect.IntType) -> str:
    return "" if wanted.ge is None or wanted.le is None else f" from {wanted.ge} to {wanted.le}"
