"""The command-line options that describe a schedule, such as --every and --cron."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

import click
from msgspec import Struct

#: What the words DURATION and MOMENT of the options stand for.
FORMS = (
    "DURATION is 30s, 5m, 1h30m, 1d or 90 (seconds). MOMENT is ISO 8601, like "
    "2027-01-01T09:00:00+08:00, or a time of day, like 14:30: the next one. Without an offset it "
    "is in the entry's zone."
)
KINDS = ("every", "cron", "crontab", "at", "solar", "rrule")
MOMENTS = ("at", "start", "end")
_MAPPINGS = {"crontab": str, "solar": float}


class ScheduleOptions(Struct, frozen=True):
    """The schedule described by options, such as {"every": "5m"}, and the other arguments."""

    plain: dict[str, Any]
    rest: tuple[str, ...] = ()


def takes_schedule(command: Callable[..., Any]) -> Callable[..., Any]:
    """Decorate a command with one option for each kind of schedule; `read_schedule` reads them."""
    for option in reversed(
        (
            click.option(
                "--every", metavar="DURATION", help="A period: 30s, 5m, 1h30m, 1d, 90 (seconds)."
            ),
            click.option(
                "--cron", metavar="TEXT", help='A cron text, like "30 2 * * mon-fri" or @daily.'
            ),
            click.option(
                "--crontab",
                metavar="KEY=VALUE…",
                multiple=True,
                help="Celery's crontab: minute=0 'hour=*/3' day_of_week=mon-fri.",
            ),
            click.option(
                "--at", metavar="MOMENT", help="Once: 14:30, or 2027-01-01T09:00:00+08:00."
            ),
            click.option(
                "--solar",
                metavar="KEY=VALUE…",
                multiple=True,
                help="An event of the sun: event=sunset lat=31.2 lon=121.5.",
            ),
            click.option(
                "--rrule", metavar="RULE", help="An iCalendar rule: FREQ=MONTHLY;BYDAY=-1FR."
            ),
            click.option("--phase", metavar="DURATION", help="Shift the grid of --every by this."),
            click.option(
                "--spread", is_flag=True, help="Shift the grid by an amount made from the name."
            ),
        )
    ):
        command = option(command)
    return command


def read_schedule(options: dict[str, Any], rest: Sequence[str] = ()) -> ScheduleOptions:
    """Remove the schedule options from `options`, and return the schedule that they describe.

    KEY=VALUE arguments in `rest` belong to --crontab or --solar. Raises click.UsageError if the
    options contradict each other.
    """
    given = {kind: options.pop(kind) for kind in KINDS}
    plain: dict[str, Any] = {
        kind: value for kind, value in given.items() if value is not None and value != ()
    }
    for kind in _MAPPINGS:
        if kind in plain:
            pairs = [pair for text in given[kind] for pair in text.split()]
            pairs += [text for text in rest if "=" in text]
            rest = [text for text in rest if "=" not in text]
            plain[kind] = _mapping(kind, pairs)
    if len(plain) > 1:
        raise click.UsageError(f"--{' and --'.join(plain)} are both given; give one of them")
    phase, spread = options.pop("phase"), options.pop("spread")
    if phase is not None:
        plain["phase"] = phase
    if spread:
        plain["spread"] = True
    if plain and not any(kind in plain for kind in KINDS):
        raise click.UsageError("--phase and --spread shift the grid of --every; give that as well")
    return ScheduleOptions(plain, tuple(rest))


def dated(fields: Mapping[str, Any], tz: str, now: datetime) -> dict[str, Any]:
    """Return the fields of an entry with the date of the next such moment for each time of day.

    `tz` is the entry's zone. Raises ConfigError with the option if no clock shows such a time.
    """
    from beatd.errors import ConfigError
    from beatd.schedules.day_time import with_date

    found = dict(fields)
    for key in MOMENTS:
        if isinstance(text := found.get(key), str):
            try:
                found[key] = with_date(text, tz, now, coming=True)
            except ConfigError as error:
                raise ConfigError(f"--{key}: {error}") from None
    return found


def _mapping(kind: str, pairs: Sequence[str]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for pair in pairs:
        key, mark, value = pair.partition("=")
        if not (key and mark):
            example = "minute=0" if kind == "crontab" else "event=sunset"
            raise click.UsageError(f"--{kind}: {pair!r} is not KEY=VALUE; write it like {example}")
        found[key] = value
        if kind == "solar" and key in ("lat", "lon"):
            try:
                found[key] = float(value)
            except ValueError:
                raise click.UsageError(f"--solar: {key}={value!r} is not a number") from None
    return found
