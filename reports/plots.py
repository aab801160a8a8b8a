"""Score histograms as a picture, by matplotlib, which is only needed for this."""

from __future__ import annotations

from pathlib import Path

from archive.names import slug
from cvid.errors import LabelsError, MissingDependency
from cvid.evaluation.figures import Figures
from cvid.evaluation.histogram import histogram
from cvid.evaluation.verification import FARS

_BARS = 160


def check_plot(folder: Path, stills: Path) -> None:
    """Can pictures be drawn, and may they go into this folder?

    Raises:
        MissingDependency: matplotlib is not installed.
        LabelsError: the folder lies among the pictures that are measured.
    """
    try:
        import matplotlib  # noqa: F401
    except ImportError as exc:
        raise MissingDependency("--plot needs the package 'matplotlib': pip install matplotlib") from exc
    if folder.resolve().is_relative_to(stills.resolve()):
        raise LabelsError(f"{folder}: lies among the labelled pictures, which are only read; name another folder")


def plot_scores(folder: Path, name: str, figures: Figures) -> Path:
    """Draw the histogram of one combination of models into `folder`; the file, which replaces an older one.

    Raises:
        LabelsError: the file cannot be written.
    """
    from matplotlib.figure import Figure

    spread = histogram(figures.scores, _BARS)
    drawing = Figure(figsize=(9, 5), layout="constrained")
    axes = drawing.subplots()
    for shares, label, colour in (
        (spread.impostors, f"two people ({figures.scores.impostor_pairs:,} pairs)", "tab:red"),
        (spread.genuine, f"one person ({figures.scores.genuine_pairs:,} pairs)", "tab:green"),
    ):
        axes.stairs(shares, spread.edges, fill=True, alpha=0.5, color=colour, label=label)
    for far in FARS:
        point = figures.scores.at_far(far)
        if point and point.tar is not None:
            axes.axvline(point.cosine, color="black", linewidth=0.8, linestyle=":")
            axes.text(point.cosine, 1.01, f"{far:g}", transform=axes.get_xaxis_transform(), ha="center", fontsize=8)
    axes.set_yscale("log")
    axes.set_xlabel("cosine (dotted: false accept rates)")
    axes.set_ylabel("share of the pairs of each kind")
    drawing.suptitle(name.replace("$", r"\$"))
    axes.legend()
    path = folder / f"scores-{slug(name, 'models')}.png"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        drawing.savefig(path, dpi=110)
    except OSError as exc:
        raise LabelsError(f"{path}: the picture cannot be written ({exc.strerror or exc})") from exc
    return path
