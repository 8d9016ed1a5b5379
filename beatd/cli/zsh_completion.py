"""Complete in zsh also values behind the name of an option, such as --tz=Europe/Berlin."""

from typing import Any

from click.shell_completion import CompletionItem, ZshComplete, add_completion_class


class ZshOptionComplete(ZshComplete):
    """The completion for zsh that keeps the name of the option, as zsh replaces the whole word."""

    def format_completion(self, item: CompletionItem[Any]) -> str:
        """Return the lines that click's script for zsh reads."""
        _, word = self.get_completion_args()
        option, sign, _ = word.partition("=")
        if sign and option.startswith("-") and item.type == "plain":
            item = CompletionItem(f"{option}={item.value}", item.type, item.help)
        return super().format_completion(item)


add_completion_class(ZshOptionComplete)
