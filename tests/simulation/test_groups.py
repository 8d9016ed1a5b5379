"""What rule S13 says of a run of several messages, of which the broker took a part."""

import pytest
from msgspec.structs import replace

from beatd.publisher import Outcome
from beatd.run import Occurrence, Run
from tests.simulation.groups import Groups, ids_of
from tests.simulation.truth_values import Key
from tests.simulation.world import START, Violation
from tests.stores.making import entry

RUN = Run(
    occurrence=Occurrence("report", START),
    task_id="the id of the run",
    entry=replace(entry("report"), task="group"),
    revision=1,
    due=START,
)
SKIPPING = replace(RUN, entry=replace(RUN.entry, on_unknown="skip"))
FIRST: Key = ("report", 1, START, "")
UNSENT, CONFIRMED = Outcome("unsent", "connection refused"), Outcome("confirmed")


def with_one_part() -> Groups:
    groups = Groups()
    assert not groups.arrive(RUN, ids_of(RUN)[0], FIRST, times_lost=0)
    return groups


def test_a_run_of_which_a_part_arrived_is_not_recorded_as_not_sent() -> None:
    with pytest.raises(Violation, match=r"S13 .* counts as not sent"):
        with_one_part().recorded(RUN, UNSENT, FIRST, times_lost=0)


def test_a_run_that_the_store_lost_may_be_recorded_as_not_sent() -> None:
    with_one_part().recorded(RUN, UNSENT, FIRST, times_lost=1)


def test_the_same_moment_of_an_entry_that_was_added_again_is_another_run() -> None:
    groups, again = with_one_part(), ("report", 2, START, "")
    groups.recorded(RUN, UNSENT, again, times_lost=0)
    groups.arrive(SKIPPING, ids_of(RUN)[0], again, times_lost=0)


def test_a_part_is_not_sent_twice_where_on_unknown_is_skip() -> None:
    with pytest.raises(Violation, match="S13 a part was doubled"):
        with_one_part().arrive(SKIPPING, ids_of(RUN)[0], FIRST, times_lost=0)


def test_a_run_of_which_a_part_is_lacking_is_not_recorded_as_sent() -> None:
    with pytest.raises(Violation, match=r"S13 .* counts as sent without"):
        with_one_part().recorded(RUN, CONFIRMED, FIRST, times_lost=0)
