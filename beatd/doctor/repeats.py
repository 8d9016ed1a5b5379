"""Leave out what a daemon says of a cause that an earlier line of `beatd doctor` names already."""

import re
from collections.abc import Iterable, Iterator

from beatd.doctor.finding import Finding
from beatd.presence import INVALID_SOURCE, is_same_mistake

OF_SERVER = re.compile(r" cannot use the (?P<server>broker|lock): ")


def without_repeats(findings: Iterable[Finding]) -> Iterator[Finding]:
    """Yield the findings, except those of daemons whose cause is known from an earlier finding.

    Such a cause is a mistake in a file that the check of the files named, or a broker or a lock
    that does not answer to this command either.
    """
    earlier: list[Finding] = []
    for finding in findings:
        if finding.subject != "daemons" or not _is_known(finding, earlier):
            earlier.append(finding)
            yield finding


def _is_known(finding: Finding, earlier: Iterable[Finding]) -> bool:
    wrong = [one for one in earlier if one.level != "ok"]
    if (of_server := OF_SERVER.search(finding.text)) is not None:
        server = of_server["server"]
        return any(one.level == "error" and one.subject == server for one in wrong)
    _, mark, mistake = finding.text.partition(INVALID_SOURCE)
    return bool(mark) and any(
        one.subject == "check" and is_same_mistake(one.text, mistake) for one in wrong
    )
