"""The command group: the verbs by name, and what happens without one."""

from __future__ import annotations

import click

import cvid
from reports.cli.group import CvidGroup

VERBS = {
    "index": "reports.cli.index:index",
    "people": "reports.cli.people:people",
    "show": "reports.cli.show:show",
    "explain": "reports.cli.explain:explain",
    "review": "reports.cli.review:review",
    "name": "reports.cli.name:name",
    "merge": "reports.cli.merge:merge",
    "split": "reports.cli.split:split",
    "reject": "reports.cli.reject:reject",
    "confirm": "reports.cli.confirm:confirm",
    "forget": "reports.cli.forget:forget",
    "undo": "reports.cli.undo:undo",
    "history": "reports.cli.history:history",
    "doubts": "reports.cli.doubts:doubts",
    "recluster": "reports.cli.recluster:recluster",
    "report": "reports.cli.report:report",
    "export": "reports.cli.export:export",
    "annotate": "reports.cli.annotate:annotate",
    "status": "reports.cli.status:status",
    "models": "reports.cli.models:models",
    "evaluate": "reports.cli.evaluate:evaluate",
    "demo": "reports.cli.demo:demo",
    "completion": "reports.cli.completion:completion",
}


@click.group(
    cls=CvidGroup,
    verbs=VERBS,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(cvid.__version__, prog_name="cvid", message="%(prog)s %(version)s")
@click.pass_context
def cli(context: click.Context, /) -> None:
    """Index footage and answer one question: who appears where?

    Nobody has to be registered first. cvid finds every face, follows it through its shot, recognises the same person
    across all videos and photographs, and writes one folder per person with a log of every appearance.

    Without a verb, in a terminal, cvid asks for the folders and indexes.

    \b
    Examples:
      cvid demo                                  try it on a small sample
      cvid index ~/footage --archive ~/faces     find the people
      cvid people --archive ~/faces              list them
      cvid show P0001 --archive ~/faces          where P0001 appears

    \b
    Exit codes: 0 done, 1 error, 2 wrong usage, 3 done but some files failed, 130 interrupted.
    """
    if context.invoked_subcommand is None:
        from reports.cli.ask import ask_and_index

        ask_and_index(context)
