"""Functions that run one after the other on a second thread."""

import threading

import pytest

from beatd.engine.pipeline import Pipeline


@pytest.mark.parametrize("threaded", [True, False])
def test_results_come_once_and_in_order(threaded: bool) -> None:
    pipeline = Pipeline[int]()
    with pipeline:
        for n in range(3):
            pipeline.start(lambda n=n: n, threaded=threaded)  # type: ignore[misc]
        assert pipeline.finish() == [0, 1, 2]
        assert pipeline.finish() == []
    pipeline.close()


def test_only_what_is_threaded_runs_on_the_second_thread() -> None:
    pipeline = Pipeline[str]()
    with pipeline:
        pipeline.start(lambda: threading.current_thread().name, threaded=True)
        pipeline.start(lambda: threading.current_thread().name, threaded=False)
        second, own = pipeline.finish()
    assert second.startswith("beatd publish") and own == threading.current_thread().name
    pipeline.close()
    with pytest.raises(RuntimeError, match="shutdown"):
        pipeline.start(lambda: "", threaded=True)


def test_an_error_drops_all_results_and_leaves_the_pipeline_usable() -> None:
    def fails() -> int:
        raise ValueError("broken")

    pipeline = Pipeline[int]()
    with pytest.raises(ValueError, match="broken"), pipeline:
        pipeline.start(lambda: 1, threaded=False)
        pipeline.start(fails, threaded=True)
        pipeline.finish()
    with pytest.raises(KeyError), pipeline:
        pipeline.start(lambda: 2, threaded=False)
        pipeline.start(fails, threaded=True)
        raise KeyError
    with pipeline:
        pipeline.start(lambda: 3, threaded=True)
        assert pipeline.finish() == [3]
    pipeline.close()


def test_closing_does_not_wait_for_what_is_running() -> None:
    pipeline, gate = Pipeline[bool](), threading.Event()
    pipeline.start(lambda: gate.wait(60), threaded=True)
    pipeline.close()
    gate.set()
    assert pipeline.finish() == [True]
