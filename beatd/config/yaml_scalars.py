"""Convert unquoted YAML values, such as 12 or yes, by the rules of YAML 1.2."""

import re
from typing import Any

from beatd.config.located_data import Word
from beatd.definition.arguments import timestamp

_NULL = frozenset(("", "~", "null", "Null", "NULL"))
_FLAGS = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
_INT = re.compile(r"[-+]?(0|[1-9][0-9]{0,39})")
_HEX = re.compile(r"0x[0-9a-fA-F]{1,32}")
_FLOAT = re.compile(
    r"[-+]?(\.[0-9]+|[0-9]+\.[0-9]*)([eE][-+][0-9]+)?|[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)"
)
# Text that one version of YAML reads as a number or a flag, and the other as text.
_DISPUTED = re.compile(
    r"(?i:yes|no|on|off)|[-+]?0[0-7_]+|[-+]?0o[0-7]+|[-+]?0b[01_]+|0x[0-9a-fA-F_]+"
    r"|[-+]?[0-9][0-9_]*(:[0-5]?[0-9])*(\.[0-9_]*)?([eE][-+]?[0-9]+)?"
)


def resolved(text: str) -> Any:
    """Return the value of an unquoted YAML text: None, bool, number, `Timestamp` or text.

    A text that YAML 1.1 reads as a number or a flag is returned as a `Word`, a kind of str.
    """
    if text in _NULL:
        return None
    if text in _FLAGS:
        return _FLAGS[text]
    # Most scalars are words: their first letter tells that none of the patterns can match.
    if text[0] not in "0123456789+-.yYnNoO":
        return text
    if _INT.fullmatch(text):
        return int(text)
    if _FLOAT.fullmatch(text):
        return float(text.lower().replace(".inf", "inf").replace(".nan", "nan"))
    if _HEX.fullmatch(text):
        return int(text, 16)
    if _DISPUTED.fullmatch(text):
        return Word(text)
    return timestamp(text) or text
