"""`cvid history`: the story of an archive, and its decisions for colleagues."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from reports.cli.options import NamedPath, archive_option, json_option, settings_from
from reports.cli.output import open_console, print_json

_file = NamedPath(dir_okay=False, path_type=Path)


@click.command(short_help="Tell what was decided and done, or exchange decisions with colleagues.")
@archive_option
@click.option("--export", "target", type=_file, metavar="FILE", help="Write all decisions as JSON; names are in it.")
@click.option("--import", "source", type=_file, metavar="FILE", help="Take in the decisions of a colleague's file.")
@click.option("--overwrite", is_flag=True, help="Replace the file of --export if it exists.")
@json_option
def history(archive: Path, target: Path | None, source: Path | None, overwrite: bool, as_json: bool) -> None:
    """Tell in plain words what was done in an archive, oldest first: runs, and decisions by number.

    Decisions speak of places in footage, not of ids, so a colleague who indexed the same footage can take them in:
    ids are translated, known ones are skipped, those that contradict the decisions here are left out and named, and
    those whose footage is not here yet wait for it.

    The journal is checked each time: a row that was changed from outside is named, and the exit code is 1.

    \b
    Examples:
      cvid history --archive ~/faces
      cvid history --export decisions.json --archive ~/faces
      cvid history --import decisions.json --archive ~/faces
    """
    if target and source:
        raise click.UsageError("--export and --import exclude each other")
    if source:
        _take_in(archive, source, as_json)
    elif target:
        _hand_out(archive, target, overwrite, as_json)
    else:
        _tell(archive, as_json)


def _tell(archive: Path, as_json: bool) -> None:
    from archive.catalogue import Catalogue
    from archive.decisions.story import story_of
    from cvid.errors import CatalogueError
    from reports.names import printable
    from reports.wording import count

    with Catalogue.open(archive) as catalogue:
        story = story_of(catalogue)
    if as_json:
        print_json(story.as_json())
    else:
        console = open_console()
        for event in story.events:
            number = str(event.number) if event.number else ""
            console.print(f"{event.utc[:16].replace('T', ' ')}  {number:>4}  {printable(event.text)}", soft_wrap=True)
        console.print(f"{count(story.intact.entries, 'decision')} in the journal" if story.events else "nothing yet")
    if story.intact.broken:
        raise CatalogueError(
            f"the journal of {archive} is not as it was written: decision {story.intact.broken}: {story.intact.why}"
        )


def _hand_out(archive: Path, target: Path, overwrite: bool, as_json: bool) -> None:
    from archive.catalogue import Catalogue
    from archive.decisions.exchange import export_decisions
    from reports.export import write_file
    from reports.wording import count

    with Catalogue.open(archive) as catalogue:
        content = export_decisions(catalogue)
    text = json.dumps(content, ensure_ascii=False, indent=1) + "\n"
    write_file(target, overwrite, lambda stream: stream.write(text.encode()))
    if as_json:
        print_json({"file": str(target), "decisions": len(content["decisions"])})
    else:
        click.echo(f"{count(len(content['decisions']), 'decision')} written to {click.format_filename(target)}")


def _take_in(archive: Path, source: Path, as_json: bool) -> None:
    from archive.decisions.carrying_out import take_in
    from reports.names import printable
    from reports.wording import count

    imported, changes = take_in(archive, settings_from(None, ()), _read(source), source.name)
    if as_json:
        print_json({**imported.as_json(), "changes": changes.as_json()})
        return
    console = open_console()
    console.print(
        f"{count(imported.taken, 'decision')} taken in, {imported.known:,} known already, "
        f"{imported.waiting:,} waiting for footage that is not here"
    )
    for sentence in imported.contradicting:
        console.print(f"left out: {printable(sentence)}", soft_wrap=True)


def _read(source: Path) -> Any:
    from cvid.errors import DecisionError

    try:
        return json.loads(source.read_text(encoding="utf-8"))
    except OSError as exc:
        raise DecisionError(f"{source}: cannot be read ({exc.strerror or exc})") from exc
    except (ValueError, RecursionError) as exc:
        raise DecisionError(f"{source}: not a file of decisions ({exc}); `history --export` writes one") from exc
