"""Run each campaign in a process of its own: its memory is its own, and a crash ends no other."""

import faulthandler
import mmap
import multiprocessing
import struct
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from tests.fuzz import corpus
from tests.fuzz.campaign import Campaign, Finding, Report
from tests.fuzz.targets import TARGETS

_LAST_BYTES = 1 << 20
_SIZE = struct.Struct("<I")
_SILENT_S = 120  # one call without an end, which no signal ends


def run_all(
    inputs: Mapping[str, int], *, seed: int, jobs: int, folder: Path, say: Callable[[str], None]
) -> list[Report]:
    """Run a campaign for each target that `inputs` names, `jobs` at once; return their reports."""
    context = multiprocessing.get_context("spawn")
    waiting, running, reports = list(inputs), [], {}
    with tempfile.TemporaryDirectory() as place:
        while waiting or running:
            while waiting and len(running) < jobs:
                name = waiting.pop(0)
                ours, theirs = context.Pipe(duplex=False)
                last = Path(place) / name
                work = (name, inputs[name], seed, folder, last, theirs)
                process = context.Process(target=_one, args=work, daemon=True)
                process.start()
                theirs.close()
                running.append((name, process, ours, last))
            for one in list(running):
                name, process, ours, last = one
                report = _news(name, ours, last, folder, say)
                if report is not None:
                    process.join()
                    running.remove(one)
                    reports[name] = report
    return [reports[name] for name in inputs]


def _news(
    name: str, ours: Any, last: Path, folder: Path, say: Callable[[str], None]
) -> Report | None:
    if not ours.poll(0.05):
        return None
    try:
        news = ours.recv()
    except EOFError:  # it crashed, or it was ended because a call had no end
        content = last.read_bytes() if last.exists() else b""
        size = _SIZE.unpack_from(content)[0] if content else 0
        data = content[_SIZE.size : _SIZE.size + size]
        path = corpus.keep(TARGETS[name], data, folder)
        died = Finding("the process died, or one call had no end", str(path))
        return Report(name, 0, 0.0, 0, 0, 0.0, 0.0, (died,))
    if isinstance(news, Report):
        return news
    say(news)
    return None


def _one(name: str, inputs: int, seed: int, folder: Path, last: Path, theirs: Any) -> None:
    # The last input is in a file that survives a crash.
    last.write_bytes(bytes(_LAST_BYTES))
    alarm = time.monotonic()
    with last.open("r+b") as file, mmap.mmap(file.fileno(), _LAST_BYTES) as seen:

        def before(data: bytes) -> None:
            nonlocal alarm
            data = data[: _LAST_BYTES - _SIZE.size]
            _SIZE.pack_into(seen, 0, len(data))
            seen[_SIZE.size : _SIZE.size + len(data)] = data
            if time.monotonic() > alarm:
                alarm = time.monotonic() + 1
                faulthandler.dump_traceback_later(_SILENT_S, exit=True)

        campaign = Campaign(
            TARGETS[name], inputs=inputs, seed=seed, folder=folder, say=theirs.send, before=before
        )
        report = campaign.run()
        faulthandler.cancel_dump_traceback_later()
        theirs.send(report)
        theirs.close()
