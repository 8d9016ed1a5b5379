"""Read a configuration and entry files from YAML, and report every problem in them.

Paths are relative to the file that has them.
"""

from beatd.config.embedded_folders import make_folders
from beatd.config.entries import EntryFile, EntryFiles, load_entries
from beatd.config.load import Examined, Loaded, examine, load_config, load_schedules, without_file
from beatd.config.values import Broker, Config, History, Http, Lock, Log, Store
from beatd.secret import Secret, masked

__all__ = [
    "Broker",
    "Config",
    "EntryFile",
    "EntryFiles",
    "Examined",
    "History",
    "Http",
    "Loaded",
    "Lock",
    "Log",
    "Secret",
    "Store",
    "examine",
    "load_config",
    "load_entries",
    "load_schedules",
    "make_folders",
    "masked",
    "without_file",
]
