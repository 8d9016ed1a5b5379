"""Send messages to Amazon SQS through kombu."""

from contextlib import suppress
from typing import Any

from botocore.exceptions import (
    ClientError,
    ConnectTimeoutError,
    EndpointConnectionError,
    HTTPClientError,
    NoCredentialsError,
)

from beatd.publisher import Outcome
from beatd.publishers.kombu_channel import KombuChannel
from beatd.publishers.message import one_line

NOT_SENT = (ConnectTimeoutError, EndpointConnectionError, NoCredentialsError)


class Sqs(KombuChannel):
    """Sends messages to Amazon SQS through kombu, and converts botocore's errors to outcomes."""

    def probe(self, channel: Any) -> None:
        with suppress(ClientError):  # a refusal is an answer, too
            channel.sqs().list_queues(MaxResults=1)

    def outcome(self, error: Exception) -> Outcome:
        if isinstance(error, NOT_SENT):
            return Outcome("unsent", one_line(error))
        if isinstance(error, ClientError):
            status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
            code = error.response.get("Error", {}).get("Code", "")
            if "Throttl" in code or status in (429, 503):
                return Outcome("unsent", one_line(error))
            return Outcome("unknown" if status >= 500 else "rejected", one_line(error))
        if isinstance(error, HTTPClientError):
            return Outcome("unknown", one_line(error))
        return super().outcome(error)
