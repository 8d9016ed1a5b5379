"""beatd add --queue, beatd edit --queue: a warning if no worker consumes the queue."""

import sys
from contextlib import closing
from pathlib import Path

from tests.cli.conftest import Here
from tests.process import Process
from tests.stores.redis.servers import Start

CELERY = Path(sys.executable).parent / "celery"
PROJECT = Path(__file__).parent.parent / "doctor"  # its app has the task proj.say
NOTE = (
    "note: --queue: no worker consumes the queue nobody, so runs wait there; "
    "start one with -Q nobody"
)


def test_a_queue_that_no_worker_consumes_is_a_note(here: Here, start: Start) -> None:
    url = start().url
    here.file("config.yaml", f"store: sqlite:///beatd.db\nbroker: '{url}'\n")
    words = ("-b", url, "-A", "proj", "worker", "-n", "w@queues", "-Q", "here", "-P", "solo")
    quiet = ("--without-mingle", "--without-gossip")
    with closing(Process(*words, *quiet, "-l", "info", cwd=PROJECT, program=CELERY)) as worker:
        worker.says("ready")
        assert (
            NOTE in here("add", "x", "--task", "proj.say", "--every", "1h", "--queue", "nobody").err
        )
        assert "--queue" not in here("edit", "x", "--queue", "here").err
        assert NOTE in here("edit", "x", "--queue", "nobody").err
        assert "--queue" not in here("edit", "x", "--priority", "3").err  # nothing is asked


def test_a_broker_that_is_away_is_not_waited_for(here: Here) -> None:
    here.file("config.yaml", "store: sqlite:///beatd.db\nbroker: redis://127.0.0.1:1/0\n")
    ended = here("add", "x", "--task", "proj.say", "--every", "1h", "--queue", "nobody")
    assert "--queue" not in ended.err
    assert "added x" in ended.out
