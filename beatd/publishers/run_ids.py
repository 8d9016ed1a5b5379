"""The ids of the parts of a canvas, made from the id of its run."""

from uuid import UUID, uuid5


class RunIds:
    """Makes an id from a text, the same in each daemon; `texts` has the text of each id made."""

    def __init__(self, run_id: str) -> None:
        self.run_id = run_id
        self.texts: dict[str, str] = {}
        self._space = UUID(run_id)

    def of(self, text: str) -> str:
        id = str(uuid5(self._space, text))
        self.texts[id] = text
        return id
