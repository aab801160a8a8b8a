"""The command line: one file a verb, loaded when it is asked for."""

from __future__ import annotations


def main() -> None:
    """Run the command line and exit with its code."""
    from reports.cli.app import cli
    from reports.cli.streams import prepare_streams

    prepare_streams()
    cli(prog_name="cvid")
