"""`cvid annotate VIDEO`: boxes and names drawn into a copy of a video, or faces covered for good."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING

import click

from reports.cli.group import DONE_WITH_FAILURES
from reports.cli.options import (
    NamedPath,
    NamesOption,
    archive_option,
    detector_names,
    json_option,
    settings_from,
)
from reports.cli.output import open_console, print_json, program

if TYPE_CHECKING:
    from archive.catalogue import Catalogue
    from cvid.detectors import Detector
    from reports.annotating.annotate import Cast
    from reports.annotating.scene import Wish


@click.command(short_help="Draw names into a copy of a video, or cover faces.")
@click.argument("video", type=NamedPath(path_type=Path), metavar="VIDEO")
@click.option(
    "-o",
    "--output",
    type=NamedPath(path_type=Path),
    metavar="FILE",
    help="The MP4 to write (default: the video's name with .annotated.mp4, in the working directory).",
)
@click.option(
    "--blur",
    type=click.Choice(["others", "all", "unnamed"]),
    help="Cover faces: of everybody, of all but those of --only, or of those who have no name.",
)
@click.option(
    "--only",
    multiple=True,
    metavar="ID",
    help="Draw only this person, such as P0003; with --blur others leave only this person to be seen. May be repeated.",
)
@click.option(
    "--detectors",
    cls=NamesOption,
    names=detector_names,
    metavar="NAME",
    help="Face detectors for the second look of --blur, joined by commas, instead of the archive's",
)
@click.option("--as-indexed", is_flag=True, help="With --blur: no second look; cover only what the index found.")
@click.option("--model-dir", metavar="DIR", help="Folder with downloaded weights (environment: CVID_MODEL_DIR).")
@click.option("--font", type=NamedPath(dir_okay=False, path_type=Path), metavar="FILE", help="A font file for names.")
@click.option("--overwrite", is_flag=True, help="Replace the output if it exists.")
@archive_option
@json_option
@click.pass_context
def annotate(
    context: click.Context,
    /,
    video: Path,
    output: Path | None,
    blur: str | None,
    only: tuple[str, ...],
    detectors: str | None,
    as_indexed: bool,
    model_dir: str | None,
    font: Path | None,
    overwrite: bool,
    archive: Path,
    as_json: bool,
) -> None:
    """Draw who is who into a copy of VIDEO: boxes with names and similarity, and a timeline at the bottom.

    VIDEO is a file that is in the archive; it is known by its content, wherever it lies now. The copy is an MP4 that
    browsers play, with the sound and the times of the original, which is only read.

    With --blur faces are covered so that they cannot be brought back, also a moment before and after each was found,
    and so are those, faint ones too, that a second look twice a second finds; more --detectors find more.
    Who is told apart only doubtfully is covered too. Boxes are then drawn only for who is left to be seen, and
    nothing that the file says of itself (place, device, title, subtitles) is taken over. Faces that were not detected
    are NOT covered, and voices stay as they are: look at the whole result before you publish it.

    \b
    Examples:
      cvid annotate clip.mp4 --archive ~/faces
      cvid annotate clip.mp4 --only P0003 -o jane.mp4
      cvid annotate clip.mp4 --blur all -o anonymous.mp4
      cvid annotate clip.mp4 --blur all --detectors scrfd_500m,mtcnn
      cvid annotate clip.mp4 --blur others --only P0003
    """
    from archive.catalogue import Catalogue
    from archive.paths import inside
    from archive.trails import is_footage
    from reports.annotating.annotate import annotate as annotated
    from reports.annotating.display import Display
    from reports.annotating.film import AnnotatingError
    from reports.annotating.fonts import check_font
    from reports.annotating.output import check_output
    from reports.annotating.scene import Wish
    from reports.annotating.told import as_json as outcome_json
    from reports.annotating.told import summary

    _check_usage(blur, only, detectors, as_indexed)
    if font:
        check_font(font)
    output = output or Path(f"{video.stem}.annotated.mp4")
    with Catalogue.open(archive) as catalogue:
        _check_there(video, catalogue)
        check_output(output, video, overwrite)
        if output.exists() and is_footage(catalogue.connection, output):
            raise AnnotatingError(f"{output}: is footage of the archive and is never written to; choose another file")
        wish = Wish(blur or "", frozenset(catalogue.person(identity.strip()).id for identity in only))
        cast = _cast_of(video, wish, catalogue)
        looks = _detector_of(catalogue, detectors, model_dir) if blur and not as_indexed else None
        lies_in = [root for root in catalogue.roots() if inside(str(output.resolve()), root)]
    console = open_console(err=as_json)
    with Display(console, (lambda line: None) if as_json else click.echo, video.name) as display:
        outcome = annotated(video, cast, wish, output, display, font, looks)
    if as_json:
        print_json({"video": str(video), "output": str(output), **outcome_json(outcome, wish)})
    else:
        for line in summary(outcome, wish, cast, output, lies_in):
            click.echo(line)
    if outcome.damage:
        context.exit(DONE_WITH_FAILURES)


def _check_usage(blur: str | None, only: tuple[str, ...], detectors: str | None, as_indexed: bool) -> None:
    if (detectors is not None or as_indexed) and not blur:
        raise click.UsageError("--detectors and --as-indexed are for --blur; boxes are drawn as they were indexed")
    if detectors is not None and as_indexed:
        raise click.UsageError("--as-indexed takes no second look, for which --detectors would be")
    if blur == "others" and not only:
        raise click.UsageError("--blur others covers all but some: name them with --only P0003")
    if blur == "all" and only:
        raise click.UsageError("--blur all covers everybody; --blur others leaves those of --only to be seen")


def _detector_of(catalogue: Catalogue, detectors: str | None, model_dir: str | None) -> Detector:
    """What takes the second look: what was asked for, or what found the faces of the archive."""
    from archive.catalogue import names_of
    from cvid.models.sets import choose_detector

    settings = settings_from(None, (), model_dir=model_dir)
    return choose_detector(detectors or names_of(catalogue.models()["detector"]), settings)


def _check_there(video: Path, catalogue: Catalogue) -> None:
    """Stop where there is no such file, with the place of the one that may be meant."""
    from archive.trails import named_alike
    from reports.annotating.film import AnnotatingError

    try:
        if video.is_file():
            return
        there = video.exists()
    except OSError as exc:
        raise AnnotatingError(f"{video}: cannot be read ({exc.strerror or exc})") from exc
    if there:
        raise AnnotatingError(f"{video}: is no file; name a single video")
    places = named_alike(catalogue.connection, video.name)
    here = [str(place) for place in places if place.exists()]
    if here:
        hint = f"one of that name lies at {here[0]}"
    elif places:
        hint = f"the archive saw it at {places[0]}, where it no longer is; name where it lies now"
    else:
        hint = "name a video that is in the archive"
    raise AnnotatingError(f"{video}: there is no such file; {hint}")


def _cast_of(video: Path, wish: Wish, catalogue: Catalogue) -> Cast:
    """Who is in a video, and whether it can be annotated as wished."""
    from archive.trails import content_of, erased_from, indexed, trails_of
    from reports.annotating.annotate import Cast
    from reports.annotating.film import AnnotatingError

    sha256 = content_of(catalogue.connection, video)
    found = indexed(catalogue.connection, sha256)
    index = f"{program()} index {shlex.quote(str(video))} --archive {shlex.quote(str(catalogue.folder))}"
    if found is None:
        raise AnnotatingError(f"{video}: is not in the archive {catalogue.folder}; index it first: {index}")
    if found.kind != "video":
        raise AnnotatingError(f"{video}: is a photograph; only videos are annotated")
    if wish.blur and found.speed == "skim":
        raise AnnotatingError(
            f"{video}: was only skimmed, so that most faces in it were never looked for and could not be covered; "
            f"index it closer first: {index} --speed thorough"
        )
    return Cast(found, trails_of(catalogue.connection, sha256), erased_from(catalogue.connection, sha256))
