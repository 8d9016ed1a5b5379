"""Arguments in a canvas that only the app can send: sent as celery's apply_async sends them."""

import pickle
from base64 import b64decode
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from typing import Any

import pytest
from celery import Celery, chain, chord, chunks, group
from celery.beat import BeatLazyFunc
from celery.canvas import Signature, StampingVisitor
from kombu import pools
from kombu.utils.json import loads

from beatd.canvas import arguments_of
from beatd.definition import codec
from beatd.entry import Entry
from beatd.publisher import Outcome
from beatd.publishers.app_value import is_app_value
from beatd.publishers.lazy_arguments import is_mark
from beatd.sources.app import App
from tests.fake_clock import FakeClock
from tests.publishers.brokers import redis_lists
from tests.publishers.canvas_likeness import alike, publish, signature, without_subscriptions
from tests.publishers.runs import run

Make = Callable[..., Any]  # of a canvas, from a function that makes a signature
PICKLE = {"serializer": "pickle"}


@contextmanager
def app_with(broker: str, results: str) -> Iterator[Celery]:
    made = Celery("own", broker=broker, backend=results, set_as_current=False)
    made.conf.update(result_expires=None, accept_content=["json", "pickle"])
    # Celery subscribes to the results of a group, over a connection that stays open.
    without_subscriptions(made)
    yield made
    if results.startswith("redis"):
        made.backend.client.connection_pool.disconnect()
    made.close()
    pools.reset()


@pytest.fixture
def app(redis_url: str) -> Iterator[Celery]:
    with app_with(redis_url, "db+sqlite://") as made:
        yield made


def source(app: Celery, task: Any, **more: Any) -> App:
    written = task if isinstance(task, dict) and not isinstance(task, Signature) else {"task": task}
    app.conf.beat_schedule = {"x": {"schedule": 30, **written, **more}}
    return App(app, shown="proj", name="config", clock=FakeClock())


def stored(source: App) -> Entry:
    """As the store gives it back."""
    reading = source.read()
    assert not reading.problems, reading.problems
    (declared,) = reading.declared.entries
    return codec.decode("x", codec.encode(declared), "app:config", "proj")


def messages(url: str) -> list[Any]:
    ids: dict[str, str] = {}
    found = []
    for queue, lying in sorted(redis_lists(url).items()):
        for message in lying:
            read: Any = pickle.loads if "python" in message["content-type"] else loads
            message["body"] = plain(list(read(b64decode(message["body"]))))
            shown = [message["headers"][key] for key in ("argsrepr", "kwargsrepr")]
            if message["headers"]["task"].startswith("celery."):
                shown = []  # it has ids in it
            found.append((queue, alike(message, ids), shown))
    return found


def plain(value: Any) -> Any:
    # A body without the classes of celery's signatures, in which types of arguments are kept.
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if type(value) is tuple:
        return {"tuple": [plain(item) for item in value]}
    return [plain(item) for item in value] if type(value) is list else value


CANVASES: dict[str, tuple[Make, dict[str, Any]]] = {
    "a set in the third step of a chain": (
        lambda s: chain(*(s("t", {n, 7}).set(**PICKLE) for n in range(3))),
        {},
    ),
    "keywords of a group": (
        lambda s: group(s("t", k={1: 2}).set(**PICKLE), s("t", 1), app=s.app),
        {},
    ),
    "the options of the run": (lambda s: group(s("t", {1}), s("u", {2}), app=s.app), PICKLE),
    "header and body of a chord": (
        lambda s: chord(
            [s("t", {1}).set(**PICKLE), s("t", 2).set(**PICKLE)],
            s("u", frozenset({3})).set(**PICKLE),
            app=s.app,
        ),
        {},
    ),
    "chunks": (
        lambda s: chunks(s("t"), [(2**70, 1), (2, 2), (float("inf"), 3)], 2, app=s.app),
        {},
    ),
    "links": (
        lambda s: chain(
            s("t", 1).set(link=[s("u", 2**70)], link_error=[s("v", k=2**71)]), s("t", 2)
        ),
        {},
    ),
    "json carries a tuple as a list": (lambda s: chain(s("t", (1, 2)), s("t", 2)), {}),
    "pickle carries a tuple": (
        lambda s: chain(s("t", (1, (2,))).set(**PICKLE), s("t", k=(3,)).set(**PICKLE)),
        {},
    ),
    "a canvas in a canvas": (
        lambda s: chain(
            s("t", 2**70), group(s("t", 2**71), chain(s("u", 2**72), s("v")), app=s.app), s("w")
        ),
        {},
    ),
}


@pytest.mark.parametrize("name", CANVASES)
def test_the_values_of_the_app_are_sent_as_celery_sends_them(
    name: str, app: Celery, redis_url: str
) -> None:
    make, options = CANVASES[name]
    s: Any = signature(app)
    s.app = app
    if name == "header and body of a chord":
        # The message of the task that ends a chord on a database has the body in it.
        assert "chord.body.args[0]" in str(source(app, make(s)).read().problems)
        app.tasks["celery.chord_unlock"].serializer = "pickle"
    entry = stored(source(app, make(s), options=options))
    celerys = make(s)
    celerys = celerys.group() if name == "chunks" else celerys
    celerys.apply_async(**options)
    theirs = messages(redis_url)
    assert publish(app, run(entry)) == [Outcome("confirmed")]
    assert messages(redis_url) == theirs and theirs
    assert entry.canvas is not None
    if "tuple" not in name:
        assert any(map(is_app_value, arguments_of(entry.canvas)))


def test_a_task_as_a_signature_has_such_values_too(app: Celery, redis_url: str) -> None:
    s = signature(app)
    entry = stored(source(app, s("t", {1}, k=BeatLazyFunc(lambda: 5)).set(**PICKLE)))
    app.send_task("t", [{1}], {"k": 5}, **PICKLE)
    theirs = messages(redis_url)
    assert publish(app, run(entry)) == [Outcome("confirmed")]
    assert messages(redis_url) == theirs


@pytest.mark.parametrize("form", ["signature", "keys of YAML", "signatures in a list"])
def test_a_function_in_a_step_is_called_for_each_run(
    form: str, app: Celery, redis_url: str
) -> None:
    calls, s = count(1), signature(app)
    function = BeatLazyFunc(lambda: next(calls))
    steps = [s("t", "first"), s("t", function, k=function)]
    written: Any = {
        "signature": chain(*steps),
        "keys of YAML": {
            "chain": ["t", {"task": "t", "args": [function], "kwargs": {"k": function}}]
        },
        "signatures in a list": {"chain": steps},
    }[form]
    entry = stored(source(app, written))
    assert entry.canvas is not None
    assert all(is_mark(value) for value in entry.canvas.chain[1].args)
    publish(app, run(entry, nth=0), run(entry, nth=1))
    bodies = [loads(b64decode(one["body"])) for one in redis_lists(redis_url)["celery"]]
    sent = sorted((body[2]["chain"][0]["args"], body[2]["chain"][0]["kwargs"]) for body in bodies)
    assert sent == [([1], {"k": 2}), ([3], {"k": 4})]


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (
            lambda s: chain(s("t"), s("t"), s("load", 1, {1, 2})),
            "chain[2].args[1]: {1, 2} is a set, which JSON cannot carry; nor can its serializer, "
            "json:",
        ),
        # The message of the first step has the second in it.
        (
            lambda s: chain(s("t"), s("t", {1, 2}).set(**PICKLE)),
            "chain[1].args[0]: {1, 2} is a set, which JSON cannot carry; nor can its serializer, "
            "json:",
        ),
        (
            lambda s: chord([s("t")], s("t", k={1, 2}).set(**PICKLE), app=s.app),
            "chord.body.kwargs.k: {1, 2} is a set",
        ),
        (
            lambda s: chain(s("t").set(link=[s("u", {1}).set(**PICKLE)]), s("t")),
            "chain[0].link[0].args[0]: {1} is a set",
        ),
        (
            lambda s: chunks(s("t"), [(1,), ({2},)], 2, app=s.app),
            "group.chunks.args[1][0]: {2} is a set",
        ),
        (lambda s: chain(s("t", lambda: 1).set(**PICKLE), s("t")), "chain[0].args[0]: <function"),
    ],
)
def test_what_no_message_can_carry_is_refused_with_its_place(
    app: Celery, make: Make, said: str
) -> None:
    s: Any = signature(app)
    s.app = app
    reading = source(app, make(s)).read()
    assert not reading.declared.entries and reading.declared.unread == {"x"}
    (problem,) = [str(problem) for problem in reading.problems if not problem.warning]
    assert problem.startswith(f"proj: beat_schedule.x: {said}") and "\n" not in problem


def test_a_daemon_without_the_app_names_entry_step_and_value(app: Celery, redis_url: str) -> None:
    s = signature(app)
    entry = stored(source(app, chain(s("t"), s("load", 2**70))))
    bare = Celery("bare", broker=redis_url, set_as_current=False)
    (outcome,) = publish(bare, run(entry))
    assert outcome.sent == "rejected" and not redis_lists(redis_url)
    assert outcome.reason == (
        "entry x: chain(t, load) cannot be sent: its chain[1].args[0] is an int that only an app "
        "can send, and no app declares it here; run beatd with -A, or with app: in the "
        "configuration"
    )


@pytest.mark.parametrize("now", ["another value", "another task", "no chain"])
def test_an_app_that_declares_another_canvas_by_now_does_not_send_it(
    now: str, app: Celery, redis_url: str
) -> None:
    s = signature(app)
    entry = stored(source(app, chain(s("t"), s("load", 2**70))))
    source(
        app,
        {
            "another value": chain(s("t"), s("load", 2**71)),
            "another task": chain(s("t"), s("other", 2**70)),
            "no chain": s("t", 2**70),
        }[now],
    )
    (outcome,) = publish(app, run(entry))
    assert outcome.sent == "rejected" and not redis_lists(redis_url)
    assert "its chain[1].args[0] is an int" in outcome.reason


def test_a_changed_object_in_a_step_is_read_again(app: Celery) -> None:
    value, s = {1, 2}, signature(app)
    declared = source(app, chain(s("t", value).set(**PICKLE), s("t")))
    before = stored(declared)
    assert not declared.changed()
    value.add(3)
    assert declared.changed()
    assert stored(declared).canvas != before.canvas and not declared.changed()


class Customer(StampingVisitor):  # type: ignore[misc]
    def on_signature(self, sig: Signature, **headers: Any) -> dict[str, Any]:
        return {"customer": sig.task + "!", "stamped_headers": ["customer"]}


@pytest.mark.parametrize("results", ["redis", "database"])
def test_a_stamped_canvas_is_sent_as_celery_sends_it(results: str, redis_url: str) -> None:
    with app_with(redis_url, redis_url if results == "redis" else "db+sqlite://") as app:

        def stamped() -> Any:
            s: Any = signature(app)
            first = s("a", 1).set(link=[s("l")], link_error=[s("m")])
            made = chain(first, chord([s("b"), chain(s("c"), s("d"))], s("e"), app=app), s("f"))
            made.stamp(Customer())
            made.stamp(tenant="acme")
            return made

        entry = stored(source(app, stamped()))
        stamped().apply_async()
        theirs = messages(redis_url)
        assert publish(app, run(entry)) == [Outcome("confirmed")]
        assert without_order(messages(redis_url)) == without_order(theirs)
        headers = theirs[0][1]["headers"]
        assert headers["stamps"] == {"customer": "a!", "tenant": "acme"}


def without_order(value: Any) -> Any:
    # Celery keeps the names of stamps in a set while it makes a signature.
    if isinstance(value, dict):
        return {
            key: sorted(item) if key == "stamped_headers" and item else without_order(item)
            for key, item in value.items()
        }
    return list(map(without_order, value)) if isinstance(value, list | tuple) else value
