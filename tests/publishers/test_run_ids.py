"""The ids of the parts of a canvas."""

from uuid import UUID, uuid5

from hypothesis import given
from hypothesis import strategies as st

from beatd.publishers.run_ids import RunIds


@given(run_id=st.uuids(), text=st.text(st.characters(exclude_categories=["Cs"])))
def test_an_id_is_that_of_uuid5(run_id: UUID, text: str) -> None:
    ids = RunIds(str(run_id))
    assert ids.of(text) == str(uuid5(run_id, text))
    assert ids.texts == {ids.of(text): text}
