"""The API operation that replaces all entries of one owner by those in the request."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from msgspec import Meta, Struct
from starlette.responses import Response

from beatd.definition import DEFAULTABLE, check
from beatd.definition.check import hint_for, read_fields
from beatd.definition.kinds import zone
from beatd.edits.apply_declared import Comparison, apply, compare
from beatd.edits.declared_set import Declared, digest_of
from beatd.entry import Entry
from beatd.errors import ConfigError, Problem
from beatd.web.api.body_problems import WORDS
from beatd.web.api.call import Call
from beatd.web.api.entry_answer import json_answer
from beatd.web.api.operation import Operation, Result, body_read_by
from beatd.web.api.refusal import MISTAKES_MAX, Refusal, wrong_values
from beatd.web.api.schemas import COUNT, FLAG, TEXT, array, named, record

Name = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=100,
        pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$",
        description="The owner of the entries is api:NAME.",
        extra={WORDS: "is not a name; use letters, digits, dots, _ and -, a letter or digit first"},
    ),
]
Entries = Annotated[
    dict[str, dict[str, Any]], Meta(description="The entries by name, with the keys of YAML.")
]
Defaults = Annotated[
    dict[str, Any] | Literal[False],
    Meta(description="Added to the configuration's defaults; false: neither."),
]
Prune = Annotated[bool, Meta(description="Also remove what the owner declared before.")]


class ApplyBody(Struct, frozen=True, forbid_unknown_fields=True):
    """The JSON body of POST /api/v1/apply: all entries that an owner declares."""

    name: Name
    entries: Entries
    timezone: str | None = None
    defaults: Defaults = {}
    prune: Prune = False
    dry_run: bool = False


def apply_entries(call: Call) -> Response:
    """Add, change and remove the entries of one owner so that they equal those in the request.

    The response lists the entries that were added, changed and removed.
    """
    body: ApplyBody = call.body
    declared = _declared(call, body)
    how: dict[str, Any] = {"prune": body.prune, "force": body.prune}
    catalog = call.store.catalog
    if body.dry_run:
        done = compare(catalog, declared, **how)
    else:
        done = apply(catalog, declared, call.site.now, call.author(), **how)
        call.site.wake()
    if done.newer is not None:
        raise Refusal(409, f"{done.source}: a set read later was applied meanwhile; try again")
    return json_answer(_differences(done, body.dry_run))


def _declared(call: Call, body: ApplyBody) -> Declared:
    owner, problems = f"api:{body.name}", list[Problem]()
    timezone = call.site.timezone
    if body.timezone is not None:
        try:
            timezone = zone().read(body.timezone, "")
        except ConfigError as error:
            problems.append(Problem(str(error), ("timezone",)))
    defaults, wrong = _defaults(call.site.settings.defaults, body.defaults, timezone)
    problems += wrong
    entries: list[Entry] = []
    for name, plain in body.entries.items():
        if len(problems) > MISTAKES_MAX:
            break
        checked = check(name, plain, timezone=timezone, source=owner, defaults=defaults)
        problems += [one.under("entries", name) for one in checked.problems if not one.warning]
        if checked.entry is not None:
            entries.append(checked.entry)
    if problems:
        raise wrong_values(problems)
    return Declared(
        source=owner, entries=tuple(entries), loaded_at=call.now, digest=digest_of(entries)
    )


def _defaults(
    outer: Mapping[str, Any], given: Mapping[str, Any] | Literal[False], timezone: str
) -> tuple[dict[str, Any], list[Problem]]:
    # `outer` are the defaults in the configuration, `given` those in the request.
    if given is False:
        return {}, []
    problems = [
        Problem(f"cannot be a default{hint_for(key, DEFAULTABLE)}", (key,))
        for key in given
        if key not in DEFAULTABLE
    ]
    problems += read_fields({k: v for k, v in given.items() if k in DEFAULTABLE}, timezone)[1]
    problems = [one for one in problems if not one.warning]
    wrong = {one.path[0] for one in problems}
    own = {key: value for key, value in given.items() if key not in wrong}
    both = {**outer, **own}
    if isinstance(own.get("options"), Mapping) and isinstance(outer.get("options"), Mapping):
        both["options"] = {**outer["options"], **own["options"]}
    return both, [one.under("defaults") for one in problems]


def _differences(done: Comparison, dry_run: bool) -> dict[str, Any]:
    return {
        "added": done.added,
        "changed": done.changed,
        "removed": done.removed,
        "kept": done.kept,
        "unchanged": done.unchanged,
        "conflicts": [
            {"name": held.name, "declared_at": held.declared_at, "held_by": held.holder}
            for held in done.conflicts
        ],
        "dry_run": dry_run,
    }


_NAMES = array(TEXT)
_APPLIED = record(
    {
        "added": _NAMES,
        "changed": _NAMES,
        "removed": _NAMES,
        "kept": {**_NAMES, "description": "No longer declared; `prune` removes them."},
        "unchanged": COUNT,
        "conflicts": array(record({"name": TEXT, "declared_at": TEXT, "held_by": TEXT})),
        "dry_run": FLAG,
    }
)

OPERATIONS = (
    Operation(
        method="POST",
        path="apply",
        role="editor",
        summary="Apply all entries of an owner, as `beatd apply` does with a file.",
        handler=apply_entries,
        body=body_read_by(ApplyBody),
        results={
            200: Result(
                "What was changed. Entries of other owners are conflicts, and left alone.",
                _APPLIED,
            ),
            409: Result("A later set of this owner was applied meanwhile.", named("Problem")),
        },
    ),
)
