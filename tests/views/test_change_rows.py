"""Records of changes as rows and as JSON."""

import pytest

from beatd.changes import Author, ChangeRecord, EntryState
from beatd.views.change_rows import change_json, what_text
from tests.stores.making import NOON


@pytest.mark.parametrize("damaged", ["", "x", "[]", '{"args":' + "[" * 5000, "\ud800"])
def test_a_definition_that_cannot_be_read_is_not_shown(damaged: str) -> None:
    record = ChangeRecord(
        id="1",
        at=NOON,
        name="a",
        action="edited",
        author=Author("ann"),
        before=EntryState(damaged, "cli"),
        after=EntryState('{"task":"t","every":"1s"}', "cli"),
    )
    assert change_json(record)["changed"] is None
    assert what_text(record, "UTC") == "edited, too large to show"
