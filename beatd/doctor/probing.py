"""Run the probes beside each other, each in a thread of its own that may be left behind."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from queue import Empty, SimpleQueue
from threading import Thread
from time import monotonic

from beatd.doctor.finding import Finding
from beatd.errors import BeatError

Probe = Callable[[], Iterable[Finding]]


def findings_of(
    probes: Mapping[str, Probe],
    timeout_s: float,
    *,
    waits_for: Callable[[str], object] = lambda subject: None,
    elapsed: Callable[[], float] = monotonic,
) -> Iterator[Finding]:
    """Yield the findings of all probes in the order of `probes`, each as soon as it can be.

    All run at once. A probe that has not ended after `timeout_s` gets one more finding, that there
    was no answer, and is left behind; its thread does not keep the process. An exception becomes a
    finding, too. `waits_for` is called with the subject that is waited for.
    """
    until = elapsed() + timeout_s
    queues = {subject: _started(subject, probe) for subject, probe in probes.items()}
    for subject, queue in queues.items():
        waits_for(subject)
        while True:
            try:
                found = queue.get(timeout=max(0.0, until - elapsed()))
            except Empty:
                yield Finding("error", subject, f"no answer within {timeout_s:g} s")
                break
            if found is None:
                break
            yield found


def _started(subject: str, probe: Probe) -> "SimpleQueue[Finding | None]":
    queue: SimpleQueue[Finding | None] = SimpleQueue()

    def run() -> None:
        try:
            for finding in probe():
                queue.put(finding)
        except BeatError as error:
            queue.put(Finding("error", subject, str(error).removeprefix(f"{subject} ")))
        except Exception as error:  # a library or the app may raise anything
            text = str(error) or type(error).__name__
            queue.put(Finding("error", subject, f"{type(error).__name__}: {text}"[:300]))
        finally:
            queue.put(None)

    Thread(target=run, name=f"doctor-{subject}", daemon=True).start()
    return queue
