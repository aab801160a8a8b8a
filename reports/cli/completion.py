"""`cvid completion`: the script that teaches a shell to complete cvid's verbs and options."""

from __future__ import annotations

import click


@click.command(short_help="Print a completion script for the shell.")
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def completion(shell: str) -> None:
    """Print the completion script for a shell.

    \b
    Examples:
      bash:  eval "$(cvid completion bash)"     in ~/.bashrc
      zsh:   eval "$(cvid completion zsh)"      in ~/.zshrc
      fish:  cvid completion fish > ~/.config/fish/completions/cvid.fish
    """
    from click.shell_completion import get_completion_class

    from reports.cli.app import cli

    maker = get_completion_class(shell)
    assert maker is not None
    click.echo(maker(cli, {}, "cvid", "_CVID_COMPLETE").source())
