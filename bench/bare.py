"""The machine's limit, in the same harness: messages that lie ready are pushed at their moment.

Nothing is stored, planned, claimed or recorded; redis-py's own pipeline, and a sleep before.
"""

import json
import sys
import time
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import redis

AT_ONCE = 500
BODY = "W1s0MjEwXSwge30sIHsiY2FsbGJhY2tzIjogbnVsbCwgImVycmJhY2tzIjogbnVsbCwgImNoYWluIjogbnVsbCwg"


def main() -> None:
    job = json.loads(sys.argv[1])
    steady = job["kind"] == "steady"
    server = redis.Redis.from_url(job["broker"])
    at = float(int(time.time()) + 2) if steady else job["at"]
    while True:
        push = pushes(server, job["queue"], messages(job["entries"], at))
        while (left := at - time.time()) > 0:
            time.sleep(left)
        push.execute()
        if not steady:
            break
        at += 1
    time.sleep(3600)  # whoever measures ends it


def pushes(server: Any, queue: str, ready: list[str]) -> Any:
    push = server.pipeline(transaction=False)
    for start in range(0, len(ready), AT_ONCE):
        push.lpush(queue, *ready[start : start + AT_ONCE])
    return push


def messages(count: int, at: float) -> list[str]:
    """As many bytes as beatd's have, and as many headers."""
    planned = datetime.fromtimestamp(at, UTC).isoformat(timespec="microseconds")
    return [json.dumps(message(n, planned)) for n in range(count)]


def message(n: int, planned: str) -> dict[str, Any]:
    run = str(uuid4())
    properties = {"correlation_id": run, "reply_to": run, "delivery_mode": 2, "priority": 0}
    headers = {"lang": "py", "task": "t.herd", "id": run, "root_id": run, "origin": "bare@host"}
    return {
        "body": BODY,
        "content-encoding": "utf-8",
        "content-type": "application/json",
        "headers": {
            **headers,
            **dict.fromkeys(("shadow", "eta", "expires", "group", "parent_id", "stamps")),
            **{"retries": 0, "timelimit": [None, None], "argsrepr": f"({n},)", "kwargsrepr": "{}"},
            **{"ignore_result": False, "beatd_entry": f"entry-{n}", "beatd_planned_at": planned},
        },
        "properties": {
            **properties,
            "delivery_info": {"exchange": "", "routing_key": "bench"},
            "body_encoding": "base64",
            "delivery_tag": run,
        },
    }


main()
