"""The list of all operations of the API."""

from starlette.responses import Response

from beatd import __version__
from beatd.web.api import (
    apply,
    bulk,
    change_pages,
    entries_read,
    entries_write,
    entry_facts,
    entry_pauses,
    entry_runs,
    history_pages,
    installation,
    preview,
)
from beatd.web.api.call import Call
from beatd.web.api.entry_answer import json_answer
from beatd.web.api.openapi import document_of
from beatd.web.api.operation import Operation, Result
from beatd.web.api.schemas import ANY_OBJECT


def openapi(call: Call) -> Response:
    """Return the OpenAPI document that describes the API."""
    return json_answer(document_of(OPERATIONS, __version__))


OPERATIONS: tuple[Operation, ...] = (
    *entries_read.OPERATIONS,
    *entries_write.OPERATIONS,
    *entry_pauses.OPERATIONS,
    *entry_runs.OPERATIONS,
    *entry_facts.OPERATIONS,
    *history_pages.OPERATIONS,
    *preview.OPERATIONS,
    *bulk.OPERATIONS,
    *apply.OPERATIONS,
    *change_pages.OPERATIONS,
    *installation.OPERATIONS,
    Operation(
        method="GET",
        path="openapi.json",
        role="viewer",
        summary="This document.",
        handler=openapi,
        results={200: Result("OpenAPI 3.1.", ANY_OBJECT)},
    ),
)
