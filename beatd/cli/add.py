"""beatd add"""

from typing import Any

import click

from beatd.cli.fields import as_option, fields_of, one_name, takes_fields
from beatd.cli.given import as_json
from beatd.cli.opened import Asked, takes_store
from beatd.cli.when import takes_when, when


@click.command()
@click.argument("words", metavar="NAME", nargs=-1)
@takes_fields
@takes_when
@click.option("--replace", is_flag=True, help="Replace an entry of this name; its runs stay.")
@click.option("--force", is_flag=True, help="With --replace: also one that a file declares.")
@as_json
@takes_store
def command(
    asked: Asked, words: tuple[str, ...], replace: bool, force: bool, json: bool, **options: Any
) -> None:
    """Add an entry to the store; a running daemon acts on it at once.

    \b
    beatd add tidy --task proj.tidy --every 5m
    beatd add report --task proj.report --cron "30 2 * * mon-fri" --tz Europe/Berlin
    """
    pairs = bool(options["crontab"] or options["solar"])  # which go on among the words
    schedule = when(options, words if pairs else ())
    name = one_name(schedule.rest if pairs else words)
    fields = fields_of(options)
    from beatd.cli.output import print_json
    from beatd.cli.rows import cells_of, json_of
    from beatd.definition import check
    from beatd.editing import add, put
    from beatd.errors import ConfigError
    from beatd.patching import patched
    from beatd.problem import in_one_line

    config = asked.config()
    checked = check(name, patched(schedule.plain, fields), timezone=config.timezone)
    if checked.entry is None:
        wrong = [as_option(problem) for problem in checked.problems if not problem.warning]
        raise ConfigError(in_one_line(wrong), wrong)
    with asked.open(config) as opened:
        if replace:
            row = put(opened.store, checked.entry, opened.now, force=force)
        else:
            row = add(opened.store, checked.entry, opened.now)
        if json:
            print_json(json_of(row))
        else:
            (_, schedule_shown, state, *_rest) = next(iter(cells_of([row], opened.now)))
            coming = state if isinstance(state, str) else state[0]
            click.echo(f"{'replaced' if replace else 'added'} {name}: {schedule_shown}, {coming}")
    from beatd.cli.failure import say

    for problem in checked.problems:
        say(f"note: {as_option(problem)}", "yellow")
