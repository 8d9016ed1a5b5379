"""Read the query parameters and the body of a request, and refuse those that are unknown."""

from typing import Any

from msgspec import DecodeError, Struct, ValidationError, convert, json
from starlette.requests import Request

from beatd.errors import Problem, nearest
from beatd.schedules.quote import quoted
from beatd.web.api.body_problems import body_problems
from beatd.web.api.operation import Body, Operation, Parameter
from beatd.web.api.refusal import Refusal, wrong_parameter, wrong_values

TEXT_CHARS_MAX = 2_000
MISSING = "the body is missing"


def values_of(request: Request, operation: Operation) -> dict[str, Any]:
    """Return the checked query parameters of a request by name; parameters not sent are left out.

    Raises Refusal if a parameter is unknown to the operation, is repeated or has a wrong value.
    """
    known = {one.name: one for one in operation.parameters if one.place == "query"}
    found: dict[str, Any] = {}
    for name, text in request.query_params.multi_items():
        if name not in known:
            hint = nearest(name, known)
            raise wrong_parameter(name[:100], f"is not a parameter of this request{hint}")
        if name in found:
            raise wrong_parameter(name, "is given twice; give it once")
        found[name] = _value(known[name], text)
    return found


def _value(parameter: Parameter, text: str) -> Any:
    schema = parameter.schema
    match schema.get("type"):
        case "integer":
            low, high = schema["minimum"], schema["maximum"]
            is_number = text.isascii() and text.isdigit() and len(text) <= 9
            if not is_number or not low <= int(text) <= high:
                detail = f"{quoted(text)} is not a whole number from {low} to {high}"
                raise wrong_parameter(parameter.name, detail)
            return int(text)
        case "boolean":
            if text not in ("true", "false"):
                detail = f"{quoted(text)} is neither true nor false"
                raise wrong_parameter(parameter.name, detail)
            return text == "true"
        case _:
            allowed = schema.get("enum")
            if allowed is not None and text not in allowed:
                detail = f"{quoted(text)} is not one of {', '.join(allowed)}"
                raise wrong_parameter(parameter.name, f"{detail}{nearest(text, allowed)}")
            if len(text) > TEXT_CHARS_MAX or "\x00" in text:
                raise wrong_parameter(parameter.name, "is too long, or has a zero byte in it")
            return text


def body_of(request: Request, body: Body | None) -> Any:
    """Return the JSON body of a request, converted to the type that the operation declares.

    Raises Refusal if the media type is wrong, the text is not JSON, or a key or value is invalid.
    """
    content: bytes = request.state.body
    if body is None:
        if content:
            raise Refusal(422, "this request has no body")
        return None
    if not content and body.optional:
        return {} if body.reader is None else body.reader()
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type not in body.media_types:
        what = f"the content type is {quoted(media_type)}" if content else MISSING
        detail = f"{what}; send {' or '.join(body.media_types)}"
        raise Refusal(415, detail, headers={"Accept": ", ".join(body.media_types)})
    if not content:
        raise Refusal(400, MISSING)
    try:
        plain = json.decode(content)
    except (DecodeError, UnicodeError, RecursionError) as error:
        raise Refusal(400, f"the body is not JSON: {error}") from None
    if not isinstance(plain, dict):
        raise wrong_values([Problem("the body is not a JSON object")])
    return plain if body.reader is None else _struct(plain, body.reader)


def _struct(plain: dict[str, Any], type: type[Struct]) -> Struct:
    if problems := body_problems(plain, type):
        raise wrong_values(problems)
    try:
        return convert(plain, type)
    except ValidationError as error:
        raise wrong_values([Problem(str(error))]) from None
