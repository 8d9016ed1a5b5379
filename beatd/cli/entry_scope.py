"""Read what entry files inherit from a configuration, whatever else is wrong in it."""

from beatd.cli.config_option import ConfigOption
from beatd.config import Config, examine
from beatd.config.values import Broker
from beatd.errors import ConfigError

_INHERITED = (("timezone",), ("defaults",))


def entry_scope(given: ConfigOption) -> Config:
    """Return the configuration of -c, of which `timezone` and `defaults` can be relied on.

    Other mistakes in it, such as the password of a broker that is not set here, do not count. The
    result is an empty configuration if there is none. Raises ConfigError if a mistake concerns what
    entries inherit.
    """
    if given.config is None:
        return given.load() if given.app is not None else Config(broker=Broker())
    found = examine(given.config)
    wrong = [
        problem
        for problem in found.problems
        if not problem.warning and (found.config is None or problem.path[:1] in _INHERITED)
    ]
    if found.config is None or wrong:
        raise ConfigError(str(wrong[0]), wrong)
    return found.config
