"""Convert entries from and to plain data, as in YAML and JSON, and check that data.

`entry_from` makes an entry from plain data, and `check` also reports every fault in the data.
`plain_of` returns an entry as plain data. `codec` converts entries for the stores, fast.
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
