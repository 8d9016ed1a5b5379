"""Write a configuration for what is found in the current folder (`beatd init`)."""

import os
from pathlib import Path

import click

from beatd.cli.config_option import FILE_IN_FOLDER, ConfigOption, as_json, takes_config
from beatd.cli.failure import EXIT_FAILED, print_message

STDOUT = "-"


@click.command()
@click.option(
    "-o",
    "--output",
    type=click.Path(),
    metavar="FILE",
    help="The file to write, - for stdout. [default: the file of -c, else config.yaml]",
)
@click.option("--force", is_flag=True, help="Overwrite the file.")
@as_json
@takes_config
def command(given: ConfigOption, output: str | None, force: bool, json: bool) -> int:
    """Write a configuration for what is found here.

    It looks in this folder for a Celery app, a Django project, another scheduler and entry files,
    and in the environment for URLs of a broker and a database. No code of yours is run, except with
    -A, which names the app. A password stays in the environment: the file has the name of its
    variable. A file that exists is kept, unless --force is given.
    """
    from beatd.discovery.found_lines import found_lines, next_lines
    from beatd.discovery.project import project_in
    from beatd.discovery.written_config import written_config

    if given.app is not None:
        from beatd.publishers.celery_app import load_app

        load_app(given.app)  # raises ConfigError if it cannot be loaded
    target = output or given.config or FILE_IN_FOLDER
    if json and target == STDOUT:
        raise click.UsageError("-o - prints the file itself; leave out --json")
    here = Path.cwd()
    folder = here if target == STDOUT else Path(target).absolute().parent
    project = project_in(here, os.environ, app=given.app)
    text = written_config(project, folder=folder, searched=here)
    found, then = list(found_lines(project)), list(next_lines(project, target))
    if target == STDOUT:
        click.echo(text, nl=False)
    elif not _write(Path(target), text, force=force):
        return EXIT_FAILED
    if json:
        from beatd.cli.output import print_json

        print_json({"file": target, "found": found, "next": [one for one, _ in then if one]})
    else:
        _print(target, found, then)
    return 0


def _write(path: Path, text: str, *, force: bool) -> bool:
    """Write the file and return True, or print why not and return False."""
    try:
        with path.open("w" if force else "x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        print_message(f"{path} exists already; --force overwrites it, -o FILE names another")
        return False
    return True


def _print(target: str, found: list[str], then: list[tuple[str, str]]) -> None:
    """Print what was found and what to do next; on stderr if the configuration is on stdout."""
    from beatd.cli.escapes import echo

    on_stderr = target == STDOUT
    for line in found:
        echo(f"found {line}", err=on_stderr)
    if on_stderr:
        return
    echo(f"wrote {target}")
    echo("next:")
    width = max(len(command) for command, _ in then)
    for command, does in then:
        echo(f"  {command:{width}}  {does}" if command else f"  {does}")
