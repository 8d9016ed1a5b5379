"""Write the entries declared in files to the store (`beatd apply`)."""

from functools import partial
from typing import TYPE_CHECKING, Any

import click

from beatd.cli.author import author_with
from beatd.cli.chosen_store import ChosenStore, takes_store
from beatd.cli.config_option import as_json
from beatd.cli.failure import print_message

if TYPE_CHECKING:
    from beatd.edits.apply_declared import Comparison
    from beatd.edits.held_name import HeldName


@click.command()
@click.argument("files", metavar="[FILE…]", nargs=-1)
@click.option(
    "--prune", is_flag=True, help="Also remove what is no longer declared, also by a missing file."
)
@click.option("--dry-run", is_flag=True, help="Print what would change; change nothing.")
@click.option("--name", metavar="NAME", help="The owner's name. [default: see above]")
@as_json
@takes_store
def command(
    chosen: ChosenStore,
    files: tuple[str, ...],
    prune: bool,
    dry_run: bool,
    name: str | None,
    json: bool,
) -> int | None:
    """Apply what the configuration or entry files declare.

    Prints the difference. Without FILE it applies all that the configuration declares, as a leader
    does. FILE is a file, folder or glob. If the configuration's `schedules` cover it, its entries
    belong to the configuration; else they get an owner named after it (jobs.yaml: yaml:jobs),
    and no daemon removes them. Entries of other owners stay as they are; one that another owner
    has with another definition is a conflict (exit 1).
    """
    from msgspec.structs import replace

    from beatd.cli.apply_input import declared_in_config, declared_in_files
    from beatd.cli.progress import progress
    from beatd.edits.apply_declared import apply, compare
    from beatd.sources import one_offs_of

    if chosen.daemon is not None and not files:
        raise click.UsageError("give FILE…: over the API, the daemon has its own configuration")
    config = chosen.config()
    if name is not None and not files:
        raise click.UsageError("--name goes with FILE…; a configuration has its own `name:`")
    declared = (
        declared_in_files(config, files, name) if files else declared_in_config(config, prune=prune)
    )
    with (
        chosen.open(config, if_absent="empty" if dry_run else "create") as opened,
        progress() as show,
    ):
        how: dict[str, Any] = {"prune": prune or not files, "force": prune, "anywhere": bool(files)}
        if opened.api is not None:
            from beatd.remote.remote_edits import declared_over

            declared = [declared_over(one) for one in declared]
        started_at = opened.started_at()
        declared = [
            replace(one, made=dict.fromkeys(one_offs_of(one.entries), started_at))
            for one in declared
        ]
        done = [
            compare(opened.store.catalog, one, **how)
            if dry_run or opened.api is not None
            else apply(
                opened.store.catalog,
                one,
                opened.present,
                author_with(),
                progress=partial(show, one.source),
                **how,
            )
            for one in declared
        ]
        if opened.api is not None and not dry_run:
            from beatd.remote.remote_edits import apply_over

            for each in declared:
                apply_over(opened.api, each, prune=prune)
    conflicts = _conflicts(done, named=name is not None)
    if json:
        _print_json(done, conflicts, dry_run)
    else:
        _print(done, conflicts, dry_run)
    for held in conflicts:
        print_message(str(held))
    for one in done:
        if one.newer is not None:
            print_message(f"{one.source}: a set read later was applied meanwhile; try again")
    return 1 if conflicts or any(one.newer is not None for one in done) else None


def _conflicts(done: "list[Comparison]", *, named: bool) -> "list[HeldName]":
    """Return the declared names that the store has under another owner.

    A name with the same definition is returned only if `named` (option --name was given).
    """
    # An exported file names no owner.
    return [held for one in done for held in one.conflicts if named or not held.same]


def _print(done: "list[Comparison]", conflicts: "list[HeldName]", dry_run: bool) -> None:
    from beatd.cli.differences import print_difference
    from beatd.definition import plain_of

    for one in done:
        for step in one.steps:
            print_difference(
                step.name,
                None if step.before is None else plain_of(step.before.entry),
                None if step.entry is None else plain_of(step.entry),
            )
    counts = _counts(done, conflicts)
    kept = f", {counts['kept']} kept (--prune removes them)" if counts["kept"] else ""
    words = ", ".join(f"{counts[key]} {key}" for key in ("added", "changed", "removed"))
    would = "would be " if dry_run else ""
    click.echo(f"{would}{words}, {counts['unchanged']} unchanged{kept}")


def _counts(done: "list[Comparison]", conflicts: "list[HeldName]") -> dict[str, int]:
    held = sum(len(one.conflicts) for one in done) - len(conflicts)
    return {
        "added": sum(len(one.added) for one in done),
        "changed": sum(len(one.changed) for one in done),
        "removed": sum(len(one.removed) for one in done),
        "unchanged": sum(one.unchanged for one in done) + held,
        "kept": sum(len(one.kept) for one in done),
    }


def _print_json(done: "list[Comparison]", conflicts: "list[HeldName]", dry_run: bool) -> None:
    from beatd.cli.output import print_json

    found: dict[str, Any] = {
        key: [name for one in done for name in getattr(one, key)]
        for key in ("added", "changed", "removed", "kept")
    }
    found["unchanged"] = _counts(done, conflicts)["unchanged"]
    found["conflicts"] = [
        {"name": held.name, "declared_at": held.declared_at, "held_by": held.holder}
        for held in conflicts
    ]
    found["dry_run"] = dry_run
    print_json(found)
