"""The store's time counts from the arrival of the reply, not from the end of its processing."""

from contextlib import closing
from time import monotonic, time

import pytest

from beatd.definition import codec
from beatd.stores.sql import SqlStore, terms

PROCESSING_S = 60.0


@pytest.mark.parametrize("kind", ["postgresql", "mariadb"])
def test_processing_of_the_reply_does_not_make_the_clock_late(
    kind: str, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    with closing(SqlStore(request.getfixturevalue(f"{kind}_url"), codec=codec)) as store:
        monkeypatch.setattr(terms, "monotonic", lambda: monotonic() + PROCESSING_S)
        asked = time()
        shown = store.now()
    assert shown is not None and shown.moment.timestamp() >= asked + PROCESSING_S
