"""A project with tasks, routes and queues, and entries that use every option of apply_async."""

from datetime import UTC, datetime, time, timedelta, timezone
from decimal import Decimal
from functools import partial
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from celery import Celery, signature
from kombu import Exchange, Queue

SOON = datetime.now(UTC).replace(microsecond=0) + timedelta(hours=3)

QUEUES = ("fa-default", "fa-foo", "fa-feed", "fa-mail", "fa-slow", "fa-new", "fa-quorum")


def project(broker: str) -> Celery:
    app = Celery("proj", broker=broker, set_as_current=False)
    tasks = Exchange("fa-tasks", type="topic")
    app.conf.update(
        timezone="Asia/Shanghai",
        accept_content=["json", "msgpack", "yaml", "pickle"],
        task_default_queue="fa-default",
        task_queues=[
            Queue("fa-default", Exchange("fa-default"), routing_key="fa-default"),
            Queue("fa-foo", tasks, routing_key="foo.#"),
            Queue("fa-feed", tasks, routing_key="*.feed"),
            Queue("fa-slow", Exchange("fa-direct", type="direct"), routing_key="slow"),
            Queue("fa-mail", tasks, routing_key="mail.*"),
        ],
        task_routes={
            "fa.mail.*": {"queue": "fa-mail", "routing_key": "mail.out"},
            "fa.prioritised": {"queue": "fa-slow", "priority": 3},
        },
        task_annotations={"fa.annotated": {"time_limit": 77}},
    )

    task = partial(app.task, shared=False)

    @task(name="fa.add")
    def add(x: int, y: int) -> int:
        return x + y

    @task(
        name="fa.classy",
        queue="fa-foo",
        routing_key="foo.classy",
        priority=5,
        time_limit=60,
        soft_time_limit=50,
        expires=900,
        serializer="msgpack",
        ignore_result=True,
    )
    def classy(x: int = 1) -> None: ...

    @task(name="fa.pressed", compression="zlib", serializer="yaml")
    def pressed(**kwargs: Any) -> None: ...

    @task(name="fa.mail.send")
    def send(to: str) -> None: ...

    @task(name="fa.annotated", bind=True)
    def annotated(self: Any) -> None: ...

    @task(name="fa.shy", typing=False, store_errors_even_if_ignored=True)
    def shy() -> None: ...

    return app


MOMENT = datetime(2027, 1, 1, 9, 0, 0, 1, timezone(timedelta(hours=8)))
ZONED = datetime(2027, 7, 1, 9, tzinfo=ZoneInfo("Europe/Berlin"))
PRICE, UUID_ = Decimal("1.50"), UUID("0f0e6bb3-3e31-4ee5-9b1b-5e3a5a0b6e0c")
NAIVE = MOMENT.replace(tzinfo=None)
TYPED = (MOMENT, NAIVE, MOMENT.date(), time(9, 30), PRICE, UUID_, b"text", b"\xff\x00")
LITERAL = {"__type__": "mine", "__value__": [1]}


def e(task: str, *args: Any, kwargs: Any = None, **options: Any) -> dict[str, Any]:
    return {"task": task, "args": args, "kwargs": kwargs or {}, "options": options}


FULL = {
    "task": "fa.done",
    "args": [1],
    "kwargs": {"k": 2},
    "options": {"queue": "fa-slow"},
    "subtask_type": None,
    "immutable": True,
}

ENTRIES: dict[str, dict[str, Any]] = {
    # without the task's code
    "plain": e("u.plain"),
    "arguments": e("u.args", 2, "zwei", [3, {"four": None}], 5.5, True),
    "keywords": e("u.kwargs", kwargs={"full": True, "name": "ünïcode ☃", "n": {"a": [1]}}),
    "percent": e("u.percent", "100% %s %b %%", kwargs={"%": "%(x)s"}),
    "quotes": e("u.quotes", "\"'\\\n\t", kwargs={"\x00": "\u2028"}),
    "long": e("u.long", "x" * 5000, list(range(2000))),
    "queue": e("u.queue", queue="fa-new"),
    "queue-of-topic": e("u.topic", queue="fa-foo"),
    "queue-and-key": e("u.key", queue="fa-feed", routing_key="mul.feed"),
    "exchange-and-key": e("u.exchange", exchange="fa-tasks", routing_key="foo.bar"),
    "default-exchange": e("u.defaultexchange", exchange="", routing_key="fa-slow"),
    "direct": e("u.direct", queue="fa-slow", routing_key="slow"),
    "priority": e("u.priority", priority=7),
    "expires": e("u.expires", expires=60),
    "expires-fraction": e("u.fraction", expires=20.5),
    "expires-moment": e("u.moment", expires=SOON),
    "expires-text": e("u.text", expires=SOON.isoformat()),
    "expires-past": e("u.past", expires=-5),
    "countdown": e("u.countdown", countdown=10),
    "countdown-expires": e("u.both", countdown=10, expires=100),
    "eta": e("u.eta", eta=SOON),
    "eta-text": e("u.etatext", eta=SOON.isoformat()),
    "headers": e("u.headers", headers={"x": 1, "nested": {"deep": [1, 2]}, "who": "me"}),
    "headers-strange": e("u.strange", headers={"id": "mine", "eta": "never"}),
    "msgpack": e("u.msgpack", 1, b"raw", serializer="msgpack"),
    "yaml": e("u.yaml", [1, 2], serializer="yaml"),
    "pickle": e("u.pickle", {1, 2}, serializer="pickle"),
    "zlib": e("u.zlib", "y" * 500, compression="zlib"),
    "bzip2": e("u.bzip2", "y" * 500, compression="bzip2", serializer="msgpack"),
    "limits": e("u.limits", time_limit=30, soft_time_limit=20),
    "ignore": e("u.ignore", ignore_result=True),
    "keep": e("u.keep", ignore_result=False),
    "shadow": e("u.shadow", shadow="known as this"),
    "links": e("u.links", link=FULL, link_error=[FULL, signature("fa.failed", args=(1,))]),
    "retries": e("u.retry", retry=True, retry_policy={"max_retries": 5, "interval_start": 1}),
    "transient": e("u.transient", delivery_mode=1),
    "properties": e("u.props", message_id="m-1", type="report", app_id="fa", user_id="guest"),
    "reply": e("u.reply", reply_to="answers", correlation_id="mine"),
    "typed": e("u.typed", *TYPED, [TYPED, -0.0, Decimal(0)], kwargs={"k": {"n": TYPED}}),
    "typed-repr": e("u.typedrepr", [PRICE] * 500, kwargs={"when": [MOMENT, ZONED], "p": PRICE}),
    "typed-literal": e("u.literal", LITERAL, {"__type__": "x"}),
    "typed-pickle": e("u.typedpickle", *TYPED, ZONED, (1, (2,)), serializer="pickle"),
    "typed-yaml": e("u.typedyaml", MOMENT, NAIVE, MOMENT.date(), b"\xff", serializer="yaml"),
    "typed-msgpack": e("u.typedmsgpack", b"\xff\x00", kwargs={"b": b"text"}, serializer="msgpack"),
    "typed-headers": e("u.typedheaders", headers={"x": MOMENT, "p": PRICE, "n": {"b": b"text"}}),
    "typed-zlib": e("u.typedzlib", *TYPED, compression="zlib", countdown=5),
    "typed-link": e("u.typedlink", link={**FULL, "args": [MOMENT, PRICE]}),
    # with it
    "typed-registered": e("fa.add", PRICE, UUID_),
    "registered": e("fa.add", 2, 2),
    "class-options": e("fa.classy", 3),
    "class-options-overridden": e("fa.classy", expires=None, priority=1, serializer="json"),
    "class-pressed": e("fa.pressed", kwargs={"a": 1}, compression="bzip2"),
    "route": e("fa.mail.send", "you@example.org"),
    "route-priority": e("fa.prioritised"),
    "annotated": e("fa.annotated", queue="fa-slow"),
    "shy": e("fa.shy", 1, 2, 3, countdown=1),
    "group": e("u.group", group_id="g-1", group_index=3),
    "parents": e("u.parents", root_id="r-1", parent_id="p-1"),
    "repr": e("u.repr", argsrepr="(secret)", kwargsrepr="{}"),
}
