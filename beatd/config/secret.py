"""Text that holds a password, and does not show it when it is printed by mistake."""

import re

_USERINFO = re.compile(r"(://[^:/?#@;]*):[^/?#;]*@")
_QUERY = re.compile(r"([?&][^=&]*(?:pass|secret|token|key)[^=&]*=)[^&;]*", re.IGNORECASE)


def masked(url: str) -> str:
    """The URL as it may be shown."""
    return _QUERY.sub(r"\1***", _USERINFO.sub(r"\1:***@", url))


class Secret(str):
    """A URL or password: itself as text, masked where a value of it is shown."""

    __slots__ = ()

    def __repr__(self) -> str:
        return repr(masked(self)) if "://" in self else "'***'"
