"""beatd why: what the command adds to the answer."""

import pytest

from tests.cli.conftest import Here
from tests.cli.test_entry_warnings import App, project
from tests.cli.test_history import ran
from tests.cli.test_outcomes import history_confirmed, planned_of_x, reported

__all__ = ["project"]


@pytest.mark.parametrize(
    ("task", "hint"),
    [
        ("tasks.pnig", "the app why_app:app does not have it either; did you mean tasks.ping?"),
        ("tasks.ping", "the app why_app:app has it; does the worker import its module, and run"),
        ("zzz", "the app why_app:app does not have it either"),
    ],
)
def test_a_task_that_no_worker_knows_has_the_hint_of_add(
    here: Here, project: App, task: str, hint: str
) -> None:
    project("why_app")
    here("add", "x", "--task", task, "--every", "1h")
    ran(here, history_confirmed())
    error = f"NotRegistered: the worker does not know the task {task!r}"
    reported(here, "failed", planned=planned_of_x(here), error=error)
    answer = here.json("why", "x")
    assert answer["cause"] == "unknown task"
    assert hint in answer["line"]


def test_it_ends_with_1_where_there_is_no_entry_because_of_a_mistake(here: Here) -> None:
    here("add", "x", "--task", "t", "--every", "1h")
    here.file("jobs/a.yaml", "entries:\n  nightly: {task: t, evry: 1h}\n")
    here.config("schedules: [jobs/]\n")
    answer = here.json("why", "nightly", code=1)
    assert answer["cause"] == "invalid source"
    assert answer["line"].startswith("there is no entry 'nightly', and a source is invalid: ")
