"""What `evaluate` shows: models side by side, groups, score histograms. `python -m reports.evaluation` prints one."""

from __future__ import annotations

from collections.abc import Mapping

from rich.console import Console
from rich.table import Table
from rich.text import Text

from cvid.evaluation.calibrating import BEFORE, Calibrated, HeldOut
from cvid.evaluation.figures import GROUP_FAR, Figures
from cvid.evaluation.histogram import Histogram, histogram
from cvid.evaluation.verification import FARS, LEAST_ACCEPTS
from reports.names import printable
from reports.wording import count

_NONE = "–"
_ROWS = 32
_BAR = 23
_EIGHTHS = " ▏▎▍▌▋▊▉█"
_ASCII = {ord(c): "#" for c in _EIGHTHS[1:]} | {ord("◂"): "<", ord("–"): "-", ord("−"): "-"}


def side_by_side(figures: Mapping[str, Figures]) -> Table:
    """One column a combination of models."""
    table = _table("")
    for name in figures:
        table.add_column(Text(printable(name)), overflow="fold")
    all_of = list(figures.values())
    first = all_of[0]

    def row(label: str, *cells: str) -> None:
        table.add_row(label, *(Text(printable(cell)) for cell in cells))

    row("Models", *("+".join(f.embedders) + _weights(f) for f in all_of))
    row("With a face", *(f"{int(f.seen.face.sum()):,} of {len(f.seen):,} ({f.detected:.2%})" for f in all_of))
    if first.accuracy:
        row("Accuracy, 10 folds", *(_accuracy(f) for f in all_of))
    for far in FARS:
        row(f"TAR at FAR {far:.0e}".replace("e-0", "e-"), *(_tar(f, far) for f in all_of))
    row("  false accepts there", *(_accepts(f) for f in all_of))
    row("B-cubed precision", *(f"{f.clustering.precision:.4f}" for f in all_of))
    row("B-cubed recall", *(f"{f.clustering.recall:.4f}" for f in all_of))
    row("B-cubed F", *(f"{f.clustering.f:.4f}" for f in all_of))
    row("Clusters a person", *(f"{f.clustering.ratio:.3f} ({f.clustering.clusters:,})" for f in all_of))
    row("  linked from cosine", *(f"{f.bar:.3f}" for f in all_of))
    row("Time a picture", *(f"{f.ms_per_picture:.1f} ms" for f in all_of))
    return table


def remarks(figures: Figures) -> list[str]:
    """What a reader of the figures must know: how many pairs stand behind them, and why some are missing."""
    scores = figures.scores
    lines = [
        f"{count(len(figures.seen), 'picture')} of {count(len(figures.seen.names), 'person', 'people')}: "
        f"{count(scores.genuine_pairs, 'pair')} of one person, {scores.impostor_pairs:,} of two; all of them compared"
    ]
    if not scores.genuine_pairs:
        lines.append("nobody has two pictures, so there is no pair of one person and no true accept rate (TAR)")
    if not scores.impostor_pairs:
        lines.append("there is only one person, so there are no pairs of strangers and no rates")
    elif any(scores.at_far(far) is None for far in FARS):
        lines.append(
            f"{_NONE}: too few pairs of strangers; a false accept rate (FAR) is told from {LEAST_ACCEPTS} accepted on"
        )
    if figures.accuracy and figures.accuracy.left_out:
        lines.append(f"{count(figures.accuracy.left_out, 'pair')} of the file left out: their pictures are not here")
    return lines


def groups_table(figures: Figures) -> Table:
    """A row for each group of people."""
    table = _table("Group")
    for header in ("People", "Pictures", "TAR", "FAR", "B³ P", "B³ R", "B³ F", "Ratio"):
        table.add_column(header, justify="right", no_wrap=True)
    for group in figures.groups:
        point, found = group.at, group.clustering
        table.add_row(
            Text(printable(group.name)),
            f"{group.people:,}",
            f"{group.pictures:,}",
            _share(point.tar if point else None),
            f"{point.far:.1e}" if point and group.impostor_pairs else _NONE,
            *(f"{value:.4f}" for value in (found.precision, found.recall, found.f)),
            f"{found.ratio:.2f}",
        )
    return table


def groups_remark(figures: Figures) -> str:
    """What the rates of the groups mean."""
    point = figures.scores.at_far(GROUP_FAR)
    if not point:
        return "too few pairs of strangers for rates of the groups"
    return (
        f"TAR and FAR within each group at cosine {point.cosine:.3f}, where all pairs have FAR {GROUP_FAR:g}; a group "
        "with a higher FAR has strangers taken for one another more often"
    )


def calibration_table(calibrated: Calibrated) -> Table:
    """Every way to weigh the models, on people not used to fit it, and what the calibration wins over it."""
    table = _table("")
    for header in (*(f"TAR {far:.0e}".replace("e-0", "e-") for far in FARS), "B³ F", "wins TAR", "wins F"):
        table.add_column(header, justify="right", no_wrap=True)
    own = calibrated.held_out[0]
    for held in calibrated.held_out:
        tars = [_share(held.tar[far]) for far in FARS]
        table.add_row(held.way, *tars, f"{held.b3_f:.4f}", *(gains(own, held) if held is not own else ("", "")))
    return table


def gains(own: HeldOut, other: HeldOut) -> tuple[str, str]:
    """What one way wins over another: TAR at the lowest rate that there are pairs enough for, and B-cubed F."""
    far = _lowest(own)
    tar = _signed((own.tar[far] or 0.0) - (other.tar[far] or 0.0)) if far else _NONE
    return tar, _signed(own.b3_f - other.b3_f)


def verdict(calibrated: Calibrated) -> str:
    """What follows from the comparison."""
    own, *others = calibrated.held_out
    alone = [held for held in others if held.way.endswith(" alone")]
    far = _lowest(own)
    if not alone:
        before = next((held for held in others if held.way == BEFORE), None)
        won = "" if not before else gains(own, before)[1]
        return f"wins {won} of B-cubed F over the bar as it was" if before else "there was no calibration before"

    def figure(held: HeldOut) -> float:
        return (held.tar[far] or 0.0) if far else held.b3_f

    best = max(alone, key=figure)
    measure = f"TAR at FAR {far:g}" if far else "B-cubed F"
    if figure(best) >= figure(own) or best.b3_f > own.b3_f:
        return (
            f"fusion does not win on both {measure} and B-cubed F: {best.way} has {figure(best):.4f} and "
            f"{best.b3_f:.4f}, fused {figure(own):.4f} and {own.b3_f:.4f}; "
            f"--embedders {best.way.removesuffix(' alone')} costs less"
        )
    return f"fusion wins: {measure} {figure(own):.4f} against {figure(best):.4f} of {best.way}"


def histogram_lines(figures: Figures, encoding: str = "utf-8") -> list[Text]:
    """How the cosines are spread, 79 columns wide, two columns of bars; in ASCII where blocks cannot be shown."""
    spread = histogram(figures.scores, _ROWS)
    if not len(spread.genuine):
        return []
    marks = {far: point.cosine for far in FARS if (point := figures.scores.at_far(far))}
    peak = max(float(spread.genuine.max()), float(spread.impostors.max()))
    header = f"{'cosine':>6}  {'two people':<{_BAR + 8}} {'one person':<{_BAR + 8}}"
    lines = [Text(header.rstrip(), "bold")]
    for place in range(len(spread.genuine)):
        line = Text(f"{spread.edges[place]:6.2f}  ")
        line.append(_bar(spread.impostors[place], peak), "red")
        line.append(" ")
        line.append(_bar(spread.genuine[place], peak), "green")
        line.append(_mark(spread, place, marks))
        line.rstrip()
        lines.append(line)
    if not _can_show(_EIGHTHS + "◂", encoding):
        lines = [Text(line.plain.translate(_ASCII)) for line in lines]
    return lines


def _bar(share: float, peak: float) -> str:
    """A bar and its share, always equally wide."""
    eighths = max(round(share / peak * _BAR * 8), 1) if share else 0
    blocks = "█" * (eighths // 8) + (_EIGHTHS[eighths % 8] if eighths % 8 else "")
    figure = "" if not share else "<0.01%" if share < 1e-4 else f"{share:.2%}"
    return f"{blocks} {figure}".ljust(_BAR + 8)


def _mark(spread: Histogram, place: int, marks: Mapping[float, float]) -> str:
    inside = [far for far, c in marks.items() if spread.edges[place] <= c < spread.edges[place + 1]]
    return " ◂" + ",".join(f"{far:.0e}".replace("e-0", "e-") for far in inside) if inside else ""


def _can_show(characters: str, encoding: str) -> bool:
    try:
        characters.encode(encoding)
    except (UnicodeEncodeError, LookupError):
        return False
    return True


def _weights(figures: Figures) -> str:
    if not figures.weighed:
        return ""
    weights = " : ".join(f"{weight:.2f}" for weight in figures.weights)
    lacking = " (no calibration of these is known)" if figures.weighed == "uncalibrated" else ""
    return f" at {weights}{lacking}"


def _accuracy(figures: Figures) -> str:
    found = figures.accuracy
    return f"{found.mean:.4f} ± {found.deviation:.4f} ({found.pairs:,} pairs)" if found else _NONE


def _tar(figures: Figures, far: float) -> str:
    point = figures.scores.at_far(far)
    return f"{_share(point.tar)} (cosine {point.cosine:.3f})" if point else _NONE


def _accepts(figures: Figures) -> str:
    points = [figures.scores.at_far(far) for far in FARS]
    return " · ".join(f"{point.false_accepts:,}" if point else _NONE for point in points)


def _lowest(held: HeldOut) -> float | None:
    return min((far for far in FARS if held.tar[far] is not None), default=None)


def _share(value: float | None) -> str:
    return _NONE if value is None else f"{value:.4f}"


def _signed(value: float) -> str:
    return f"{value:+.4f}"


def _table(first: str) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold cyan")
    table.add_column(first, style="bold", overflow="fold", min_width=10)
    return table


def _example() -> None:
    """Print the histogram of made-up scores."""
    import numpy as np

    from cvid.evaluation.figures import measure
    from cvid.evaluation.stills import Seen
    from cvid.settings import ClusteringSettings

    random = np.random.default_rng(0)
    people = np.repeat(np.arange(40), 5)
    vectors = random.normal(size=(40, 64))[people] + 0.7 * random.normal(size=(200, 64))
    vectors = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)
    seen = Seen(
        people,
        [f"person {number}" for number in range(40)],
        [f"{number}.jpg" for number in range(200)],
        np.ones(200, np.bool_),
        np.ones(200, np.float32),
        {"mobilefacenet": vectors},
        {"mobilefacenet": "mobilefacenet:0"},
        5.0,
        {"mobilefacenet": 5.0},
        [],
    )
    figures = measure(seen, ["mobilefacenet"], "calibrated", ClusteringSettings())
    console = Console(markup=False, highlight=False)
    console.print(side_by_side({"example": figures}))
    for line in [*remarks(figures), *histogram_lines(figures)]:
        console.print(line)


if __name__ == "__main__":
    _example()
