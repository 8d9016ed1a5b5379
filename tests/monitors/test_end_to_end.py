"""Monitors of a real daemon and a real worker: both speak of one check-in, and pings arrive."""

import os
import sys
from collections.abc import Callable
from pathlib import Path
from uuid import uuid4

import pytest

from beatd import Beat
from beatd.clock import SystemClock
from beatd.edits.run_requests import trigger
from tests.databases import Server
from tests.notifiers.receivers import receiver
from tests.notifiers.test_sentry import KEY, check_ins, valid
from tests.process import PATIENCE, Process
from tests.waiting import until

APP = """
import sentry_sdk
from celery import Celery
from sentry_sdk.integrations.celery import CeleryIntegration

import beatd.worker

sentry_sdk.init(
    {dsn!r},
    integrations=[CeleryIntegration(monitor_beat_tasks=True)],
    auto_enabling_integrations=False,
    auto_session_tracking=False,
    release="the worker",
)
app = Celery("monitored", broker={broker!r})
beatd.worker.report(app, queue="{queue}.outcomes")

@app.task(name="proj.report")
def report():
    open("gate").read()  # a run that ends at once is one report, without a start
"""


@pytest.mark.filterwarnings(r"ignore:\s*Eventlet is deprecated")  # sentry-sdk imports it
def test_the_worker_completes_the_check_in_that_the_daemon_began_and_pings_arrive(
    config: Callable[..., Path], server: Server, tmp_path: Path
) -> None:
    host, port = server("redis")
    broker, queue = f"redis://{host}:{port}/0", f"monitored-{uuid4().hex}"
    with receiver() as sentry, receiver() as pings:
        dsn = sentry.url.removesuffix("/hook").replace("://", f"://{KEY}@") + "/42"
        (tmp_path / "dsn").write_text(dsn)
        (tmp_path / "monitored.py").write_text(APP.format(dsn=dsn, broker=broker, queue=queue))
        os.mkfifo(tmp_path / "gate")
        path = config(
            broker=f"{{url: '{broker}'}}",
            outcomes=f"{{queue: {queue}.outcomes}}",
            monitors="{sentry: {dsn_file: dsn}}",
            entries="{nightly: {task: proj.report, cron: '30 2 * * *', "
            f"options: {{queue: {queue}}}, monitor: {{sentry: true, ping: '{pings.url}'}}}}}}",
        )
        worker = Process(
            *("-m", "celery", "-A", "monitored", "worker", "--pool", "solo", "-Q", queue),
            *("--without-mingle", "--without-gossip", "--without-heartbeat"),
            cwd=tmp_path,
            program=Path(sys.executable),
        )
        try:
            with Beat(path) as beat:
                until(beat.daemon.leading, PATIENCE, "it leads")
                store = beat.daemon.store
                assert store is not None
                until(lambda: store.catalog.count() == 1, PATIENCE, "the entry is declared")
                task_id = trigger(store.requests, "nightly", SystemClock().now())
                until(lambda: pings.received, PATIENCE, "the start is pinged")
                (tmp_path / "gate").write_text("")
                until(lambda: len(pings.received) >= 2, PATIENCE, "the end is pinged")
                until(lambda: len(check_ins(sentry)) >= 3, PATIENCE, "all check-ins arrive")
        finally:
            worker.close()
        found = check_ins(sentry)
        for one in found:
            valid(one)
        assert {(one["status"], one["release"] == "the worker") for one in found} == {
            ("in_progress", False),
            ("ok", True),
            ("ok", False),  # the daemon's own, by the worker's report
        }
        assert {one["check_in_id"] for one in found} == {task_id.replace("-", "")}
        assert {one["monitor_slug"] for one in found} == {"nightly"}
        assert [one.path for one in pings.received] == [
            f"/hook/start?rid={task_id}",
            f"/hook?rid={task_id}",
        ]
