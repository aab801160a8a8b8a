"""Which command gives which table: what `benchmarks/run.py` runs, in the order of docs/LOG.md."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Run:
    """One command. {data} stands for $CVID_BENCH_DATA, {cache} for a folder that the commands share."""

    heading: str
    name: str  # of a script in benchmarks/, or `evaluate` for that verb of main.py
    arguments: tuple[str, ...] = ()
    quick: tuple[str, ...] | None = None  # instead, for --quick; None: left out there
    plot: str = ""  # a name under --plots: a file, for `evaluate` a folder
    into: str = ""  # standard output goes to this file of the cache
    needs: str = ""  # the script that is run before it, whichever were asked for


_STRANGERS = ("--sets", "composed-11,lookalikes-21", "--strangers", "1500")
_STILLS = ("evaluate", "--stills", "{data}/stills/lfw")
_FUSED = ("--embedders", "mobilefacenet,dlib_resnet", "--calibrate")
_TANDEMS = "scrfd_500m+retinaface_mnet,retinaface_mnet+scrfd_500m,scrfd_500m+mtcnn"
_SCENES, _SHORT = "{cache}/scenes", "{cache}/scenes-short"
_FOUR = "light,embedded,scrfd_500m/dlib_resnet,mtcnn/mobilefacenet"

PLAN = (
    Run("Accuracy of the defaults", "accuracy", ("--models", "light"), ("--sets", "composed-11")),
    Run("Accuracy of the defaults", "accuracy", ("--models", "embedded")),
    Run("Accuracy among strangers", "accuracy", ("--models", "light", *_STRANGERS)),
    Run("Accuracy among strangers", "accuracy", ("--models", "embedded", *_STRANGERS)),
    Run("What the clusterings see", "tracksets", ("{cache}/tracks", "--models", "light")),
    Run("What the clusterings see", "tracksets", ("{cache}/tracks", "--models", "embedded")),
    Run("Every clustering method", "clustering", ("{cache}/tracks", "--models", "light"), needs="tracksets"),
    Run("Every clustering method", "clustering", ("{cache}/tracks", "--models", "embedded"), needs="tracksets"),
    Run("Clustering, growth", "growth", ("{cache}/tracks", "--orders", "5"), needs="tracksets"),
    Run("Certainty and doubts", "doubtful", (), ("--sets", "once-42")),
    Run("Corrections", "review", ("--runs", "20"), plot="review.png"),
    Run(
        "Clustering, scale",
        "clustering_scale",
        ("--sizes", "1e3", "1e4", "2e4", "1e5", "1e6", "--methods", "all"),
        ("--sizes", "1e3", "1e4"),
        "clustering-scale.png",
    ),
    Run(
        "Clustering, scale of growth",
        "clustering_scale",
        ("--sizes", "1e4", "1e5", "1e6", "--growth"),
        ("--sizes", "1e4", "--growth"),
        "clustering-growth.png",
    ),
    Run("Impostor tails", "impostors", ("mobilefacenet",)),
    Run("Impostor tails", "impostors", ("dlib_resnet",)),
    Run(
        "Detectors",
        "detectors",
        ("--detectors", "scrfd_500m,scrfd_2.5g,retinaface_mnet,mtcnn", "--tandems", _TANDEMS),
        ("--sets", "composed-11", "--step", "8", "--detectors", "scrfd_500m,mtcnn"),
    ),
    Run("Labelled photographs", "lfw_pairs", ("{data}/stills/lfw",), into="pairs.txt"),
    Run(
        "Labelled photographs",
        "evaluate",
        (
            *_STILLS,
            "--pairs",
            "{cache}/pairs.txt",
            "--models",
            "light,embedded,scrfd_500m/dlib_resnet,mtcnn/mobilefacenet",
        ),
        plot="stills",
        needs="lfw_pairs",
    ),
    Run(
        "People with 2 to 12 photographs",
        "evaluate",
        (*_STILLS, "--models", "light,embedded", "--least", "2", "--most", "12"),
        plot="stills-2-12",
    ),
    Run("Fusion", "evaluate", (*_STILLS, "--detectors", "scrfd_500m", *_FUSED)),
    Run("Fusion", "evaluate", (*_STILLS, "--detectors", "mtcnn", *_FUSED)),
    Run("Calibrations that ship", "calibrations"),
    Run("Frame selection", "selection"),
    Run("Speed against the recipe", "speed", (), ("--rounds", "1")),
    Run("The recipe's accuracy", "recipe", (), ("--sets", "composed-11")),
    Run(
        "Peers side by side",
        "peers",
        ("--rounds", "3"),
        ("--peers", "insightface", "--speeds", "balanced,skim"),
        "peers.png",
    ),
    Run("Scenes to profile", "scenes", (_SCENES,), (_SHORT, "--sizes", "360p,1080p", "--seconds", "8")),
    Run("Where the time goes", "stages", (f"{_SCENES}/*.mp4",), (f"{_SHORT}/*.mp4",), needs="scenes"),
    Run(
        "Thorough, balanced and skim against decoding",
        "speeds",
        ("--films", "{cache}/films"),
        ("--films", "{cache}/films-short", "--minutes", "2", "--scenes", "heads-360p", "--rounds", "1"),
        "speeds.png",
    ),
    Run("Workers", "workers", (), ("--what", "folder", "--rounds", "1"), "workers.png"),
    Run("The Ray engine beside two workers", "workers", ("--jobs", "2", "--what", "folder", "--ray")),
    Run("Memory and the length of a video", "memory", ("--minutes", "3,120", "--jobs", "2"), ("--minutes", "1,3")),
    Run(
        "Growth with footage, files, tracks and people",
        "footage_growth",
        (),
        ("--hours", "0.02", "0.05", "--files", "10", "40", "--tracks", "1e3", "1e4"),
        "growth.png",
    ),
)
