"""The rules that the simulation checks, by the letter and number with which a violation begins."""

import re

RULES = {
    "S1": "each moment is claimed once, and before it is published",
    "S2": "a double has the same id and follows a fault; what another daemon may still be"
    " publishing is left to it",
    "S3": "nothing is claimed under an old term",
    "S4": "nothing is claimed that was removed, paused, edited or over by then",
    "S6": "one daemon leads, and trusts its lease no longer than it has it",
    "S7": "each moment and each request has its line of history, and nothing stays open",
    "S8": "history and messages agree",
    "S9": "nothing is claimed before its moment",
    "S10": "what runs is what the files declare",
    "S11": "a pause holds back what is within it, and nothing else",
    "S12": "what an operator was told is done was done to each entry",
    "S13": "a run of several messages counts as sent when all of them were, and never as not sent",
    "S14": "a daemon's clock is behind the store's by no more than a reply took, it reports how far"
    " the host's is ahead, and a message is no earlier by the host's than it reported at its claim",
    "L1": "one daemon leads when all is well",
    "L2": "nothing is late when all is well",
    "L4": "no loop is busy",
    "L5": "a pause ends in time",
    "L6": "who claims again what it has sent reports that the store went back",
    "A1": "an incident opens once and closes once, and one is open for an entry and kind",
    "A2": "no two incidents have the same failure as their cause",
    "A3": "people are told once of each incident, and again only under the same id",
    "A4": "people are told of each incident",
    "A5": "an incident is closed when its cause is gone",
    "V1": "an older daemon never plans again what newer planning rules planned",
    "V2": "an older daemon leaves alone what it cannot read",
    "V3": "a newer leader plans again what older planning rules planned for later",
    "O1": "no run is claimed while another one of its entry counts as running",
    "O2": "no run is executed while another one of its entry is",
    "O3": "no entry waits for a run that is gone",
}
_LETTER = re.compile(r"[A-Z]\d+\b")


def rule_of(broken: BaseException) -> str:
    """Return the letter and number of the rule, or, where there is none, what else to compare."""
    found = _LETTER.match(str(broken))
    if found:
        return found.group()
    words = re.sub(r"\w+ \d+|\d+|'[^']*'", "", str(broken))
    return f"{type(broken).__name__}: {words}"
