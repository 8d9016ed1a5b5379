"""Read the report of a shadow, which is kept in a file beside the configuration."""

from pathlib import Path

from msgspec import DecodeError, Struct, field, json

from beatd.config import Config
from beatd.errors import BeatError
from beatd.shadow.tally import Figures


class Report(Struct, kw_only=True):
    """Holds the content of the report file, which `beatd status --shadow` prints.

    A later shadow continues it. `since` and `until` are ISO texts; `listening` is False while the
    broker is away; `heard` counts all messages; `entries` has the figures of each entry by name.
    """

    since: str
    until: str
    listening: bool
    heard: int = 0
    totals: dict[str, int] = {}
    entries: dict[str, Figures] = field(default_factory=dict)


def store_file(config: Config) -> Path:
    """Return the SQLite file that the shadow uses as its store."""
    return Path(config.folder) / "beatd-shadow.db"


def report_file(config: Config) -> Path:
    """Return the path of the report file."""
    return Path(config.folder) / "beatd-shadow.json"


def read_report(config: Config) -> Report:
    """Return the report; raise BeatError if there is none or it cannot be read."""
    path = report_file(config)
    try:
        return json.decode(path.read_bytes(), type=Report)
    except FileNotFoundError:
        raise BeatError(f"{path}: no shadow has run here; start one with beatd --shadow") from None
    except (OSError, DecodeError) as error:
        raise BeatError(f"{path}: cannot be read: {error}") from None
