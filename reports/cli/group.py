"""A command group that loads verbs lazily, and the one place where errors become a sentence and an exit code."""

from __future__ import annotations

import sys
from importlib import import_module
from typing import Any

import click

from cvid.errors import CvidError
from reports.names import printable

DONE_WITH_FAILURES = 3
INTERRUPTED = 130


class LazyGroup(click.Group):
    """Verbs that are loaded when they are called or described.

    Args:
        verbs: name → "package.module:command"; a verb's module is imported when the verb is called or described.
    """

    def __init__(self, *args: Any, verbs: dict[str, str], **more: Any) -> None:
        super().__init__(*args, **more)
        self._verbs = verbs

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The verbs in the order of a first visit."""
        return list(self._verbs)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Load a verb; None if there is none of that name."""
        if cmd_name not in self._verbs:
            return None
        module, _, name = self._verbs[cmd_name].partition(":")
        command = getattr(import_module(module), name)
        assert isinstance(command, click.Command)
        return command


class CvidGroup(LazyGroup):
    """The verbs of cvid, and the error boundary around them."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run a verb: the error boundary.

        What cvid raises on purpose is told in one sentence. Anything else is a defect and keeps its traceback.
        """
        try:
            result = super().invoke(ctx)
            sys.stdout.flush()
            return result
        except CvidError as exc:
            raise Told(str(exc)) from exc
        except KeyboardInterrupt:
            goes_on = ctx.invoked_subcommand in (None, "index", "demo", "models")
            click.echo(
                "\ninterrupted" + ("; what was finished is kept, the next run continues" if goes_on else ""), err=True
            )
            ctx.exit(INTERRUPTED)
        except BrokenPipeError:
            ctx.exit(0)  # the reader of our output has gone (`cvid people | head`): nothing more need be written


class Told(click.ClickException):
    """An error of cvid as the user sees it: one sentence on standard error, exit code 1."""

    exit_code = 1

    def show(self, file: Any = None) -> None:
        """Print the sentence."""
        click.echo(f"cvid: {printable(self.message)}", err=True)
