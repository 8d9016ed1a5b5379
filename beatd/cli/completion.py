"""Print the shell completion script (`beatd completion`)."""

import click
from click.shell_completion import get_completion_class

from beatd.cli.bash_completion import BashLineComplete
from beatd.errors import BeatError


@click.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def command(ctx: click.Context, shell: str) -> None:
    """Print a script with which your shell completes commands and names.

    \b
    bash: eval "$(beatd completion bash)"               in ~/.bashrc
    zsh:  eval "$(beatd completion zsh)"                in ~/.zshrc
    fish: beatd completion fish | source                in ~/.config/fish/config.fish
    """
    completion_class = BashLineComplete if shell == "bash" else get_completion_class(shell)
    assert completion_class is not None
    completion = completion_class(ctx.find_root().command, {}, "beatd", "_BEATD_COMPLETE")
    try:
        click.echo(completion.source())
    except (OSError, RuntimeError) as error:
        raise BeatError(f"the script for {shell} cannot be made here: {error}") from None
