"""The report file of a shadow daemon, which compares beatd's plans with another scheduler."""

from pathlib import Path

from msgspec import DecodeError, Struct, field, json

from beatd.config import Config
from beatd.errors import BeatError
from beatd.shadow.tally import Figures


class Report(Struct, kw_only=True):
    """The report of a shadow daemon: how well beatd's planned runs match another scheduler's
    messages.

    `since` and `until` are the begin and the end of the compared time, as ISO text. `listening` is
    False while the broker is away or the shadow is stopped. `heard` is the number of all messages,
    `totals` the sum of each count over all entries. `entries` has the counts of each entry by its
    name.
    """

    since: str
    until: str
    listening: bool
    heard: int = 0
    totals: dict[str, int] = {}
    entries: dict[str, Figures] = field(default_factory=dict)


def store_file(config: Config) -> Path:
    """Return the path of the shadow daemon's own SQLite store, in the configuration's folder."""
    return Path(config.folder) / "beatd-shadow.db"


def report_file(config: Config) -> Path:
    """Return the path of the shadow daemon's JSON report, in the configuration's folder."""
    return Path(config.folder) / "beatd-shadow.json"


def read_report(config: Config) -> Report:
    """Read the report of the shadow daemon from its JSON file.

    Raises BeatError if the file is missing or unreadable.
    """
    path = report_file(config)
    try:
        return json.decode(path.read_bytes(), type=Report)
    except FileNotFoundError:
        raise BeatError(f"{path}: no shadow has run here; start one with beatd --shadow") from None
    except (OSError, DecodeError) as error:
        raise BeatError(f"{path}: cannot be read: {error}") from None
