"""Canvases as entries have them, beside the signatures that people write for Celery."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

from celery import Celery, chain, chord, chunks, group
from celery.canvas import Signature


class Pair(NamedTuple):
    """An entry's keys, a function that makes celery's signature, and the options of the run."""

    plain: dict[str, Any]
    celerys: Callable[[Callable[..., Signature], Celery], Signature]
    options: Mapping[str, Any] = MappingProxyType({})


def step(task: str, *args: Any, **more: Any) -> dict[str, Any]:
    return {"task": task, **({"args": list(args)} if args else {}), **more}


_TENANT: dict[str, Any] = {"stamped_headers": ["tenant"], "tenant": "acme"}


def _celerys(task: str, *args: Any) -> dict[str, Any]:
    """Return a signature as celery writes it in JSON."""
    more = {"kwargs": {}, "options": {}, "subtask_type": None, "immutable": False}
    return {"task": task, "args": list(args), **more}


CANVASES = {
    "chain": Pair(
        {
            "chain": [
                step("a", 1),
                step("b", options={"queue": "heavy", "priority": 3}),
                step("c", immutable=True),
            ]
        },
        lambda s, app: chain(
            s("a", 1), s("b").set(queue="heavy", priority=3), s("c").set(immutable=True)
        ),
    ),
    "chain with options of the run": Pair(
        {"chain": [step("a", 1), step("b")]},
        lambda s, app: chain(s("a", 1), s("b")),
        {"queue": "heavy", "priority": 7, "expires": 3600, "headers": {"x": 1}},
    ),
    "chain of one": Pair({"chain": [step("a", 1)]}, lambda s, app: chain(s("a", 1))),
    "chain in a chain": Pair(
        {"chain": [{"chain": [step("a"), step("b")]}, step("c", 1, kwargs={"k": 2})]},
        lambda s, app: chain(chain(s("a"), s("b")), s("c", 1, k=2)),
    ),
    "group": Pair(
        {"group": [step("a", 1), step("b", 2, options={"queue": "heavy", "countdown": 1})]},
        lambda s, app: group(s("a", 1), s("b", 2).set(queue="heavy", countdown=1), app=app),
    ),
    "group with options of the run": Pair(
        {"group": [step("a", 1), step("b", 2)]},
        lambda s, app: group(s("a", 1), s("b", 2), app=app),
        {"queue": "heavy", "countdown": 1, "expires": 60},
    ),
    "group of groups and chains": Pair(
        {"group": [{"group": [step("a"), step("b")]}, {"chain": [step("c"), step("d")]}]},
        lambda s, app: group(group(s("a"), s("b"), app=app), chain(s("c"), s("d")), app=app),
    ),
    "chunks": Pair(
        {"group": step("a", chunks={"args": [[1, 1], [2, 2], [3, 3]], "size": 2})},
        lambda s, app: chunks(s("a"), [[1, 1], [2, 2], [3, 3]], 2, app=app).group(),
    ),
    "chord": Pair(
        {"chord": {"header": [step("a", 1), step("b", 2)], "body": step("c")}},
        lambda s, app: chord([s("a", 1), s("b", 2)], s("c"), app=app),
    ),
    "chord with options of the run": Pair(
        {"chord": {"header": [step("a", 1), step("b", 2)], "body": step("c")}},
        lambda s, app: chord([s("a", 1), s("b", 2)], s("c"), app=app),
        {"queue": "heavy", "priority": 4},
    ),
    "chord of chains with a chain as its body": Pair(
        {
            "chord": {
                "header": [{"chain": [step("a", 1), step("b")]}, step("c")],
                "body": {"chain": [step("d"), step("e")]},
            }
        },
        lambda s, app: chord(
            [chain(s("a", 1), s("b")), s("c")], chain(s("d"), s("e")), app=app
        ),
    ),
    "chain that begins with a group": Pair(
        {"chain": [{"group": [step("a"), step("b")]}, step("c")]},
        lambda s, app: chain(group(s("a"), s("b"), app=app), s("c")),
    ),
    "chain that ends with a group": Pair(
        {"chain": [step("a"), {"group": [step("b"), step("c")]}]},
        lambda s, app: chain(s("a"), group(s("b"), s("c"), app=app)),
    ),
    "chain around a group": Pair(
        {"chain": [step("a"), {"group": [step("b"), step("c")]}, step("d"), step("e")]},
        lambda s, app: chain(s("a"), group(s("b"), s("c"), app=app), s("d"), s("e")),
    ),
    "chain of two groups": Pair(
        {"chain": [{"group": [step("a"), step("b")]}, {"group": [step("c"), step("d")]}]},
        lambda s, app: chain(
            group(s("a"), s("b"), app=app), group(s("c"), s("d"), app=app)
        ),
    ),
    "chain with a chord": Pair(
        {"chain": [step("a"), {"chord": {"header": [step("b")], "body": step("c")}}, step("d")]},
        lambda s, app: chain(s("a"), chord([s("b")], s("c"), app=app), s("d")),
    ),
    "chord in a group": Pair(
        {"group": [step("a"), {"chord": {"header": [step("b"), step("c")], "body": step("d")}}]},
        lambda s, app: group(s("a"), chord([s("b"), s("c")], s("d"), app=app), app=app),
    ),
    "chord in a chord": Pair(
        {
            "chord": {
                "header": [{"chord": {"header": [step("a"), step("b")], "body": step("c")}}],
                "body": step("d"),
            }
        },
        lambda s, app: chord([chord([s("a"), s("b")], s("c"), app=app)], s("d"), app=app),
    ),
    "links of tasks": Pair(
        {"chain": [step("a", link=[step("l", 1)]), step("b", link_error=[step("m")])]},
        lambda s, app: chain(_linked(s("a"), s("l", 1)), _linked(s("b"), error=s("m"))),
    ),
    "link and options of a chain in a group": Pair(
        {
            "group": [
                {"chain": [step("a"), step("b")], "link": [step("l")], "options": {"queue": "q"}},
                step("c"),
            ]
        },
        lambda s, app: group(
            _linked(chain(s("a"), s("b")).set(queue="q"), s("l")), s("c"), app=app
        ),
    ),
    "links in the options of a step": Pair(
        {
            "chain": [
                step("a", options={"link": {"task": "l", "args": [1]}, "link_error": ["m"]}),
                step("b", options={"link": [_celerys("l", 2)]}),
            ]
        },
        lambda s, app: chain(
            _linked(s("a"), s("l", 1), s("m")), s("b").set(link=[s("l", 2)])
        ),
    ),
    "steps to the default exchange": Pair(
        {
            "group": [
                step("a", options={"exchange": "", "routing_key": "heavy"}),
                {"chain": [step("b"), step("c", options={"exchange": "", "routing_key": "q"})]},
            ]
        },
        lambda s, app: group(
            s("a").set(exchange="", routing_key="heavy"),
            chain(s("b"), s("c").set(exchange="", routing_key="q")),
            app=app,
        ),
    ),
    "stamps": Pair(
        {
            "chain": [
                step("a", options={**_TENANT, "priority": 3}),
                {"group": [step("b", options=_TENANT), step("c")]},
                step("d", options={**_TENANT, "tenant": ["x", "y"]}, link=[step("l")]),
            ]
        },
        lambda s, app: chain(
            s("a").set(priority=3, **_TENANT),
            group(s("b").set(**_TENANT), s("c"), app=app),
            _linked(s("d").set(**{**_TENANT, "tenant": ["x", "y"]}), s("l")),
        ),
    ),
    "stamps of the run": Pair(
        {"group": [step("a"), {"chain": [step("b"), step("c", options=_TENANT)]}]},
        lambda s, app: group(s("a"), chain(s("b"), s("c").set(**_TENANT)), app=app),
        {"stamped_headers": ["by"], "by": "beat"},
    ),
    "steps with times of their own": Pair(
        {
            "group": [
                step("a", options={"expires": 60}),
                step("b", options={"countdown": 1, "expires": 90}),
                {"chain": [step("c", options={"countdown": 1}), step("d", options={"expires": 9})]},
            ]
        },
        lambda s, app: group(
            s("a").set(expires=60),
            s("b").set(countdown=1, expires=90),
            chain(s("c").set(countdown=1), s("d").set(expires=9)),
            app=app,
        ),
    ),
    "steps with routes of their own": Pair(
        {
            "chord": {
                "header": [
                    step("a", options={"queue": "heavy", "priority": 2}),
                    step("b", options={"queue": "q", "priority": 9}),
                ],
                "body": step("c", options={"queue": "q", "time_limit": 7, "headers": {"h": 1}}),
            }
        },
        lambda s, app: chord(
            [
                s("a").set(queue="heavy", priority=2),
                s("b").set(queue="q", priority=9),
            ],
            s("c").set(queue="q", time_limit=7, headers={"h": 1}),
            app=app,
        ),
    ),
    "link_error of a group and link of a body": Pair(
        {
            "chain": [
                {"group": [step("a"), step("b")], "link_error": [step("m")]},
                step("c", link=[step("l", 1)]),
            ]
        },
        lambda s, app: chain(
            _linked(group(s("a"), s("b"), app=app), error=s("m")), _linked(s("c"), s("l", 1))
        ),
    ),
}  # fmt: skip


def _linked(
    signature: Signature, link: Signature | None = None, error: Signature | None = None
) -> Signature:
    if link is not None:
        signature.link(link)
    if error is not None:
        signature.link_error(error)
    return signature
