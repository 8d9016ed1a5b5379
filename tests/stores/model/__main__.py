"""Many histories of calls, each played to the model and to a store of each kind.

    python tests/run/servers.py python -m tests.stores.model [--seeds 200] [--from 0]
        [--calls 120] [--store postgresql --store redis]

Prints how far it is, and each history that shows a difference, made as short as possible. It ends
with a table, and with 1 if there is a difference.
"""

import argparse
import logging
import os
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from tests.run.positive import positive
from tests.stores import places
from tests.stores.model.call import history
from tests.stores.model.fresh import fresh_stores
from tests.stores.model.play import first_difference, shrunk

# ruff: noqa: T201
PRINTED_EVERY_S = 10.0
Row = tuple[str, int, int, int]  # store, histories, calls, differences


def main(words: Sequence[str] | None = None) -> int:
    args = arguments().parse_args(words)
    rows = list[Row]()
    for name in args.store or KINDS:
        with (
            tempfile.TemporaryDirectory(prefix="beatd-model-") as folder,
            fresh_stores(KINDS[name], Path(folder), server) as fresh,
        ):
            seeds = range(args.first, args.first + args.seeds)
            rows.append(compared(name, fresh, seeds, args.calls))
    print(f"{'store':<12}{'histories':>10}{'calls':>10}{'differences':>13}")
    for store, histories, calls, differences in rows:
        print(f"{store:<12}{histories:>10}{calls:>10}{differences:>13}")
    return 1 if any(differences for *_, differences in rows) else 0


def compared(name: str, fresh: Callable[[], Any], seeds: range, length: int) -> Row:
    """Play the histories to the stores of one kind, and print each difference."""
    differences, printed_at = 0, time.monotonic()
    for played, seed in enumerate(seeds, 1):
        found = first_difference(history(seed, length), fresh)
        if found is not None:
            differences += 1
            print(f"{name}, seed {seed}, --calls {length}:\n{shrunk(found, fresh)}", flush=True)
        if time.monotonic() - printed_at >= PRINTED_EVERY_S:
            printed_at = time.monotonic()
            print(f"{name}: {played} of {len(seeds)} histories, {differences} differ", flush=True)
    return name, len(seeds), len(seeds) * length, differences


KINDS = {place.__name__: place for place in places.PLACES if place is not places.memory}


def arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.stores.model", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--seeds", type=positive, default=200, help="how many; default: 200")
    parser.add_argument("--from", type=int, default=0, dest="first", help="the first; default: 0")
    parser.add_argument("--calls", type=positive, default=120, help="of each; default: 120")
    parser.add_argument(
        "--store",
        action="append",
        choices=[*KINDS],
        help="more than once for several; default: all",
    )
    return parser


def server(name: str) -> tuple[str, int]:
    port = os.environ.get(f"BEATD_TEST_{name.upper()}_PORT")
    if port is None:
        sys.exit(f"there is no {name}: python tests/run/servers.py python -m tests.stores.model")
    return "127.0.0.1", int(port)


if __name__ == "__main__":
    logging.disable(logging.CRITICAL)
    sys.exit(main())
