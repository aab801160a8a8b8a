"""`cvid evaluate`: how good the models are on one's own labelled pictures, or an archive by one's own truth."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from reports.cli.evaluate_truth import run_truth
from reports.cli.group import DONE_WITH_FAILURES
from reports.cli.options import NamedPath, archive_option, json_option, model_options, settings_from, settings_options
from reports.cli.output import open_console, print_json

if TYPE_CHECKING:
    from cvid.evaluation.calibrating import Calibrated
    from cvid.evaluation.combinations import Combination
    from cvid.evaluation.figures import Figures
    from cvid.settings import Settings

_NAMED_MOST = 10
_OF_BOTH = {"stills", "truth", "groups", "as_json"}
"""Parameters that go with whatever is measured; `--archive` belongs to `--truth`, and all others to `--stills`."""

file = NamedPath(exists=True, dir_okay=False, path_type=Path)


@dataclass(frozen=True)
class Wanted:
    """What is measured, and what comes of it."""

    stills: Path
    pairs: Path | None = None
    groups: Path | None = None
    least: int = 1
    most: int = 0
    calibrate: bool = False
    plot: Path | None = None
    as_json: bool = False


@click.command(short_help="Measure models on your own labelled pictures, or an archive by your own truth.")
@click.option(
    "--stills",
    type=NamedPath(exists=True, file_okay=False, path_type=Path),
    metavar="DIR",
    help="Folder with one folder a person, which holds that person's pictures.",
)
@click.option(
    "--truth",
    type=file,
    metavar="FILE",
    help="A csv of who appears where, video,person,start_s,end_s,x1,y1,x2,y2: how well the archive has found that.",
)
@archive_option
@model_options
@click.option("--pairs", type=file, metavar="FILE", help="Labelled pairs: LFW's pairs.txt, or a csv of path,path,same.")
@click.option("--groups", type=file, metavar="FILE", help="A csv of person,group: the figures of each group as well.")
@click.option("--least", type=click.IntRange(1), default=1, metavar="N", help="Only people with at least N pictures.")
@click.option("--most", type=click.IntRange(1), metavar="N", help="Only people with at most N pictures.")
@click.option("--calibrate", is_flag=True, help="Fit how the models are weighed to these pictures, and keep that.")
@click.option(
    "--plot",
    type=NamedPath(file_okay=False, path_type=Path),
    metavar="DIR",
    help="Draw score histograms into this folder, as scores-NAME.png.",
)
@settings_options
@json_option
@click.pass_context
def evaluate(
    context: click.Context,
    /,
    stills: Path | None,
    truth: Path | None,
    archive: Path,
    pairs: Path | None,
    groups: Path | None,
    least: int,
    most: int | None,
    calibrate: bool,
    plot: Path | None,
    config: Path | None,
    assignments: tuple[str, ...],
    as_json: bool,
    **named: Any,
) -> None:
    """Compare models on labelled pictures, one folder a person; or, with --truth, an archive with the truth about it.

    Footage and pictures are only read.

    --models takes several here, joined by commas: sets, or DETECTOR/EMBEDDER with + between several of a kind. Per
    set: the share of pictures with a face; the share of pairs of one person that are accepted (TAR) where one pair of
    strangers in 100, 1,000 or 10,000 is (FAR), over all pairs; B-cubed precision, recall and F of the people that the
    archive would make of the pictures. Of several faces in a picture the most central one counts. A picture without a
    face is refused in every pair, and is a cluster of its own.

    --calibrate keeps what it fits for this combination of embedders, for all later runs, and says what it is worth on
    people it was not fitted to. It changes the vectors of a fusion: archives made with other weights need the old ones.

    Pictures that cannot be read are listed and the exit code is 3.

    --truth needs the columns video and person; times are seconds, blank for the whole video, boxes px, blank for the
    only person on screen; dx and dy, the way of the box from start to end, may be added. A video is named by its file
    name, or by its path below the indexed folder.

    \b
    Examples:
      cvid evaluate --stills ~/labelled --models light,embedded
      cvid evaluate --stills lfw --models mtcnn/mobilefacenet,scrfd_500m/mobilefacenet --pairs pairs.txt
      cvid evaluate --stills ~/labelled --embedders mobilefacenet,dlib_resnet --calibrate
      cvid evaluate --stills ~/labelled --groups groups.csv --plot plots --json
      cvid evaluate --truth truth.csv --archive ~/faces
    """
    from cvid.evaluation.combinations import combinations

    _refuse_strays(context, stills, truth)
    if truth:
        run_truth(truth, archive, groups, as_json)
        return
    assert stills
    settings = settings_from(config, assignments, **named)
    wanted = Wanted(stills, pairs, groups, least, most or 0, calibrate, plot, as_json)
    if most and most < least:
        raise click.UsageError(f"--least {least} and --most {most} leave nobody")
    if run_evaluation(wanted, combinations(settings), settings):
        context.exit(DONE_WITH_FAILURES)


def _refuse_strays(context: click.Context, stills: Path | None, truth: Path | None) -> None:
    """Is one thing measured, and does every option that was typed belong to it?"""
    if bool(stills) == bool(truth):
        raise click.UsageError("give either --stills DIR, to measure models, or --truth FILE, to measure an archive")
    for parameter in context.command.params:
        name = parameter.name or ""
        typed = context.get_parameter_source(name) == ParameterSource.COMMANDLINE
        if typed and name not in _OF_BOTH and (name == "archive") == bool(stills):
            raise click.UsageError(f"{parameter.opts[0]} does not go with {'--stills' if stills else '--truth'}")


def run_evaluation(wanted: Wanted, compared: Sequence[Combination], settings: Settings) -> int:
    """Measure and show; how many pictures could not be read."""
    import numpy as np

    from cvid.evaluation.calibrating import check_enough
    from cvid.evaluation.combinations import look_at
    from cvid.evaluation.figures import measure
    from cvid.evaluation.groups import read_groups
    from cvid.evaluation.pairs import read_pairs
    from cvid.evaluation.pictures import labelled_pictures
    from reports.plots import check_plot, plot_scores
    from reports.steps import Steps

    labelled = labelled_pictures(wanted.stills, wanted.least, wanted.most)
    pairs = read_pairs(wanted.pairs) if wanted.pairs else []
    groups = read_groups(wanted.groups, labelled.people) if wanted.groups else None
    if wanted.plot:
        check_plot(wanted.plot, wanted.stills)
    if wanted.calibrate:
        _refuse_two_detectors(compared)
        check_enough(np.unique(list(labelled.people), return_inverse=True)[1].astype(np.int64))
    if groups and groups.unknown:
        _tell_unknown(groups.unknown)
    with Steps(open_console(err=True), lambda line: click.echo(line, err=True), "pictures") as steps:
        seen = look_at(labelled, compared, steps)
    figures = {
        one.name: measure(seen[one.name], one.embedders, one.fusion, settings.clustering, pairs, groups)
        for one in compared
    }
    if pairs and not any(found.accuracy for found in figures.values()):
        click.echo(
            f"{click.format_filename(wanted.pairs or '')}: no two folds hold pairs of pictures that are here, so there "
            "is no accuracy",
            err=True,
        )
    calibrated = _calibrated(figures, settings) if wanted.calibrate else {}
    drawn = [plot_scores(wanted.plot, name, f) for name, f in figures.items()] if wanted.plot else []
    if wanted.as_json:
        _print_object(figures, calibrated)
    else:
        _print_tables(figures, calibrated)
    for path in drawn:
        click.echo(f"drawn: {click.format_filename(path)}", err=True)
    return max(len(f.seen.failed) for f in figures.values())


def _calibrated(figures: Mapping[str, Figures], settings: Settings) -> dict[str, tuple[Calibrated, Path]]:
    """Fit to each combination, and keep all of them only when all are fitted."""
    from archive.calibrations import keep_calibration
    from cvid.evaluation.calibrating import calibrate
    from cvid.evaluation.figures import material_of

    fits = {
        name: calibrate(material_of(found.seen, found.embedders), settings.clustering)
        for name, found in figures.items()
    }
    return {name: (fit, keep_calibration(fit.models, fit.calibration)) for name, fit in fits.items()}


def _refuse_two_detectors(compared: Sequence[Combination]) -> None:
    embedders = ["+".join(sorted(one.embedders)) for one in compared]
    for one, name in zip(compared, embedders, strict=True):
        if embedders.count(name) > 1:
            raise click.UsageError(
                f"--calibrate keeps one calibration for {'+'.join(one.embedders)}, and it is asked for with several "
                "detectors; name one of them"
            )


def _tell_unknown(unknown: Sequence[str]) -> None:
    from reports.names import printable
    from reports.wording import count

    named = ", ".join(printable(person) for person in unknown[:_NAMED_MOST])
    more = f" and {len(unknown) - _NAMED_MOST:,} more" if len(unknown) > _NAMED_MOST else ""
    people = count(len(unknown), "person", "people")
    click.echo(f"{people} of the groups file have no picture that is measured here: {named}{more}", err=True)


def _print_object(figures: Mapping[str, Figures], calibrated: Mapping[str, tuple[Calibrated, Path]]) -> None:
    from archive.names import as_text

    report: dict[str, Any] = {}
    for name, found in figures.items():
        fit, path = calibrated.get(name, (None, None))
        report[name] = found.as_json(fit)
        report[name]["failed"] = [{"path": as_text(p), "reason": as_text(reason)} for p, reason in found.seen.failed]
        if path:
            report[name]["calibration"]["file"] = as_text(str(path))
    print_json(report)


def _print_tables(figures: Mapping[str, Figures], calibrated: Mapping[str, tuple[Calibrated, Path]]) -> None:
    from archive.records import Failure
    from reports.evaluation import (
        calibration_table,
        groups_remark,
        groups_table,
        histogram_lines,
        remarks,
        side_by_side,
        verdict,
    )
    from reports.names import printable
    from reports.tables import failures_table

    console = open_console()
    first = next(iter(figures.values()))
    console.print(side_by_side(figures))
    for line in remarks(first):
        console.print(line)
    for name, found in figures.items():
        console.print(f"\n{printable(name)}: how alike pictures of two people and of one are", style="bold")
        for bars in histogram_lines(found, console.encoding):
            console.print(bars)
        if found.groups:
            console.print(f"\n{printable(name)}: by group", style="bold")
            console.print(groups_table(found))
            console.print(groups_remark(found))
        if name in calibrated:
            fit, path = calibrated[name]
            console.print(f"\n{printable(name)}: fitted to one half of the people, measured on the other", style="bold")
            console.print(calibration_table(fit))
            console.print(verdict(fit))
            weights = ", ".join(f"{m} {w:.3f}" for m, w in zip(found.embedders, fit.calibration.weights, strict=True))
            console.print(
                f"fitted to all people ({fit.pairs[0]:,} pairs of one, {fit.pairs[1]:,} of two) and kept in "
                f"{printable(str(path))}: {weights}; the table on top is still without it"
            )
    if first.seen.failed:
        console.print()
        console.print(failures_table(Failure(path, reason) for path, reason in first.seen.failed))
