"""Requests made from the document, right and wrong ones, sent to a served application."""

from functools import cache
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from beatd import __version__
from beatd.web.api.openapi import document_of
from beatd.web.api.operation import PREFIX, Operation
from beatd.web.api.operations import OPERATIONS
from tests.web.api.client import EDITOR, Client
from tests.web.site import SECRETS

EXAMPLES = 25  # of each operation
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
CONDITIONS = ("*", '"1"', "W/*", "x")


@cache
def document() -> Any:
    return schemathesis.openapi.from_dict(document_of(OPERATIONS, __version__))


@pytest.mark.parametrize("one", OPERATIONS, ids=[one.id for one in OPERATIONS])
def test_no_request_gets_an_answer_that_is_not_documented(api: Client, one: Operation) -> None:
    api.create("tidy")
    operation = document()[PREFIX + one.path][one.method]
    modes = [GenerationMode.POSITIVE]
    if one.parameters or one.body is not None:
        modes.append(GenerationMode.NEGATIVE)
    cases = st.one_of([operation.as_strategy(mode) for mode in modes])
    url = "http://{}:{}".format(*api.server.address[:2])

    @settings(
        max_examples=EXAMPLES,
        derandomize=True,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(case=cases, is_there=st.booleans(), condition=st.sampled_from(CONDITIONS))
    def send(case: schemathesis.Case, is_there: bool, condition: str) -> None:
        if is_there and "{name}" in one.path:
            case.path_parameters = {"name": "tidy"}
            if one.method in ("PUT", "PATCH", "DELETE"):
                case.headers = {**(case.headers or {}), "If-Match": condition}
        case.call_and_validate(
            base_url=url,
            headers={"Authorization": f"Bearer {SECRETS[EDITOR]}"},
            checks=CHECKS,
            timeout=60,
        )

    send()
