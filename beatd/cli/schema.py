"""Print the JSON Schema of the configuration or of entry files (`beatd schema`)."""

import click

from beatd.cli.output import print_json
from beatd.config.json_schema import config_schema, entries_schema


@click.command()
@click.argument("what", type=click.Choice(["config", "entries"]), default="config")
def command(what: str) -> None:
    """Print the JSON Schema of the configuration or of entry files.

    \b
    beatd schema > config.schema.json
    beatd schema entries > entries.schema.json
    For editors, in the first line of the YAML file:
    # yaml-language-server: $schema=config.schema.json
    """
    print_json(config_schema() if what == "config" else entries_schema())
