"""Send messages to kombu's filesystem broker, where each message is a file."""

import os
from typing import Any

from beatd.publisher import Outcome
from beatd.publishers.kombu_channel import KombuChannel
from beatd.publishers.message import one_line
from beatd.servers.message_file import write_whole_files


class Filesystem(KombuChannel):
    """Sends each message as one file. A worker sees the complete file or none."""

    def _channel(self) -> Any:
        channel = super()._channel()
        write_whole_files(channel)
        return channel

    def probe(self, channel: Any) -> None:
        os.close(os.open(channel.data_folder_out, os.O_RDONLY))

    def outcome(self, error: Exception) -> Outcome:
        if isinstance(error, OSError):
            return Outcome("unsent", one_line(error))
        return super().outcome(error)
