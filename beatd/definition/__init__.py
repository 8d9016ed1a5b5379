"""An entry as YAML and the stores have it: plain data, checked when it is read.

`entry_from` makes an entry of it, `check` reports everything that is wrong with it, `plain_of`
writes an entry as plain data, and `codec` does both for the stores, fast.
"""

from beatd.definition.as_plain import json_plain_of, plain_of
from beatd.definition.check import Checked, check, entry_from
from beatd.definition.codec import codec
from beatd.definition.fields import DEFAULTABLE, FIELDS, KINDS

__all__ = [
    "DEFAULTABLE",
    "FIELDS",
    "KINDS",
    "Checked",
    "check",
    "codec",
    "entry_from",
    "json_plain_of",
    "plain_of",
]
