"""Say which changed settings of its configuration file a daemon does not use before a reload."""

from collections.abc import Sequence

from beatd.schedules.speech import joined


def needs_reload_text(settings: Sequence[str]) -> str:
    """Return what a user has to do about changed settings, such as ("http", "alerts").

    There must be at least one setting.
    """
    return (
        f"{joined(settings)} changed in its configuration file after it started; "
        "reload it (SIGHUP) or restart it to use the new settings"
    )
