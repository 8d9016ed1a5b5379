"""Make the Starlette routes of the API from the descriptions of its operations."""

from collections.abc import Sequence

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from beatd.definition.check import name_problem
from beatd.errors import BeatError
from beatd.web.api.call import Call
from beatd.web.api.operation import PREFIX, Operation
from beatd.web.api.refusal import Refusal, refusal_of_error
from beatd.web.api.request_values import body_of, values_of
from beatd.web.raw_path_route import RawPathRoute
from beatd.web.visitor import Handler, needs


def routes_of(operations: Sequence[Operation]) -> list[BaseRoute]:
    """Return a Starlette route for each operation of the API.

    Routes that end with an entry's name come last, because a name may contain slashes.
    """
    made: list[RawPathRoute] = []
    for one in sorted(operations, key=lambda one: one.path.endswith("{name}")):
        path = PREFIX + one.path.replace("{name}", "{name:path}")
        endpoint = needs(one.role)(_endpoint(one))
        made.append(RawPathRoute(path, endpoint, methods=[one.method], name=one.id))
    for route in made:
        same = [other.methods or set() for other in made if other.path == route.path]
        route.allowed = tuple(sorted(set().union(*same)))
    return list(made)


def _endpoint(operation: Operation) -> Handler:
    def answer(request: Request) -> Response:
        try:
            if text := name_problem(request.path_params.get("name", "-")):
                raise Refusal(422 if operation.method == "PUT" else 404, text)
            values = values_of(request, operation)
            call = Call(request, values, body_of(request, operation.body))
            return operation.handler(call)
        except Refusal as refusal:
            return refusal.answer()
        except BeatError as error:
            return refusal_of_error(error).answer()

    return answer
