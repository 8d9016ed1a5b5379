"""Change the code a little, and see whether a test fails: `python -m tests.mutation --help`."""

import argparse
import contextlib
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.mutation.campaign import Campaign
from tests.mutation.lines import ROOT
from tests.mutation.lived import KINDS

# ruff: noqa: T201
ENGINE_TESTS = [
    *("tests/engine", "tests/test_planning.py", "tests/test_overlap.py", "tests/test_last_sent.py"),
    *("tests/test_skips_in_order.py", "tests/test_by_moment.py", "tests/edits", "tests/dispatches"),
    *("tests/test_may_still_run.py", "tests/mutation/lives.py"),
]
SCHEDULES_TESTS = ["tests/schedules", "tests/test_planning.py"]
TOO_SLOW = ["tests/engine/test_day.py", "tests/engine/test_calls_per_day.py"]
NO_SERVER = "not redis and not postgresql and not mariadb and not pgbouncer and not shelve and not sqlite"  # fmt: skip # noqa: E501


def main(words: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.mutation", description=__doc__)
    parser.add_argument("--module", action="append", required=True, metavar="FILE", type=Path)
    parser.add_argument("--from", type=int, default=0, dest="first", help="skip so many mutants")
    parser.add_argument("--limit", type=int, help="try so many mutants of each module")
    parser.add_argument("--only", default="", metavar="TEXT", help="mutants whose key has it")
    parser.add_argument("--again", action="store_true", help="those that lived and nobody has read")
    parser.add_argument("--tests", nargs="+", help="by default those of the modules' folder")
    parser.add_argument("--budget-s", type=float, default=60, help="of tests, for each mutant")
    parser.add_argument("--folder", type=Path, default=ROOT / ".run/mutation", help="of its files")
    given = parser.parse_args(words)
    modules = [path.resolve() for path in given.module]
    campaign = Campaign(
        modules, given.folder, given.budget_s, given.first, given.limit, given.only, given.again
    )
    about_schedules = all("schedules" in path.parts for path in modules)
    tests = given.tests or (SCHEDULES_TESTS if about_schedules else ENGINE_TESTS)
    options = ["-q", "-s", "--tb=line", "-p", "no:cacheprovider", "-o", "timeout=0"]
    options += ["-W", "ignore::pytest.PytestAssertRewriteWarning"]  # hypothesis is loaded already
    options += ["-o", "tmp_path_retention_policy=none", "-m", "not long", "-k", NO_SERVER]
    options += [f"--ignore={path}" for path in TOO_SLOW]
    options += ["-o", "python_files=test_*.py lives.py"]
    with contextlib.chdir(ROOT):
        pytest.main([*options, *tests], plugins=[campaign])
    print_table(campaign)
    return 1 if campaign.new else 0


def print_table(campaign: Campaign) -> None:
    columns = ("mutants", "killed", *KINDS, "new", "not made")
    print(f"\n{'module':36}" + "".join(f"{column:>10}" for column in columns))
    for name, counts in campaign.counts.items():
        numbers = {**counts, "mutants": counts.total()}
        print(f"{name:36}" + "".join(f"{numbers.get(column, 0):>10}" for column in columns))


if __name__ == "__main__":
    sys.exit(main())
