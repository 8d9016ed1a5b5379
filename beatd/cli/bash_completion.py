"""Complete in bash also names with blanks, quotes and colons, which click's own script breaks."""

import os
from typing import Any

from click.shell_completion import BashComplete, CompletionItem, add_completion_class

from beatd.cli.completion_line import TypedLine, typed_line

# The line itself is sent: COMP_WORDS would be broken at the colons of a name.
_SCRIPT = """\
%(complete_func)s() {
    local line type value
    COMPREPLY=()
    while IFS= read -r line; do
        type=${line%%%%,*} value=${line#*,}
        if [[ $type == dir ]]; then
            compopt -o dirnames
        elif [[ $type == file ]]; then
            compopt -o default
        elif [[ $type == plain ]]; then
            COMPREPLY+=("$value")
        fi
    done < <(env COMP_WORDS="${COMP_LINE:0:COMP_POINT}" COMP_CWORD=$COMP_CWORD \\
        %(complete_var)s=bash_complete "$1")
    return 0
}

complete -o nosort -F %(complete_func)s %(prog_name)s
"""


class BashLineComplete(BashComplete):
    """The completion for bash that reads the whole line up to the cursor."""

    source_template = _SCRIPT

    def get_completion_args(self) -> tuple[list[str], str]:
        """Return the words after the program's name, and the last one, which is not complete."""
        words = self._line().words
        return list(words[1:-1]), words[-1]

    def format_completion(self, item: CompletionItem[Any]) -> str:
        value = self._line().completed(item.value) if item.type == "plain" else item.value
        return f"{item.type},{value}"

    def _line(self) -> TypedLine:
        return typed_line(os.environ["COMP_WORDS"])


add_completion_class(BashLineComplete)
