#!/usr/bin/env python3
"""Keep what cvid sees in footage and stills of known truth, so that a try at clustering takes milliseconds.

    CVID_BENCH_DATA=… python benchmarks/tracksets.py FOLDER [--models light] [--footage DIR …] [--sets composed-11]

Writes FOLDER/MODELS/SET.npz for every set of footage, `lfw.npz` with the most central face of every still, and
`strangers.npz` with all faces of the first photograph of everybody, a crowd to mix with a set. What is there stays.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

import numpy as np
from data import data_folder, videos_of
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from archive.sorting.matching import overlapping
from cvid.analyse import Parts, analyse
from cvid.clustering.founding import founding_of
from cvid.evaluation.pictures import labelled_pictures
from cvid.evaluation.stills import see
from cvid.models.sets import Choice, choose
from cvid.settings import ClusteringSettings, Settings
from cvid.types import Doubles, Floats, Ints, TrackAnalysis, TrackSet

STILLS, STRANGERS = "lfw", "strangers"


@dataclass(frozen=True, eq=False)
class Seen:
    """The n tracks of a set, m of which have a vector, and who is in it."""

    sightings: Sequence[dict[str, str]]  # n rows as score.py reads them, without identity
    truth: Sequence[dict[str, str]]  # as score.py reads it; of stills a person a sighting
    video: Ints  # (n,)
    start_s: Doubles  # (n,)
    end_s: Doubles  # (n,)
    picture: NDArray[np.bool_]  # (n,)
    quality: Floats  # (n,)
    held: NDArray[np.bool_]  # (n,), has a vector
    template: Floats  # (m, d)
    exemplars: Floats  # (k, d)
    owner: NDArray[np.int32]  # (k,), row among the m
    model: str

    def track_set(self, settings: ClusteringSettings) -> TrackSet:
        """What a clusterer gets of them."""
        rows = np.flatnonzero(self.held)
        founding = founding_of(self.end_s - self.start_s, self.picture, self.quality, settings)
        return TrackSet(
            template=self.template,
            exemplars=self.exemplars,
            owner=self.owner,
            quality=self.quality[rows],
            founding=founding[rows],
            cannot=overlapping(self.video[rows], self.start_s[rows], self.end_s[rows]),
            person=np.full(len(rows), -1, np.int32),
            size=len(rows),
            others=self.template[:0],
            model=self.model,
        )

    def identified(self, labels: NDArray[np.int32]) -> list[dict[str, str]]:
        """The sightings with the label of each track that has a vector as its identity."""
        names = np.full(len(self.sightings), -1, np.int64)
        names[self.held] = labels
        return [
            row | {"identity": str(name) if name >= 0 else ""}
            for row, name in zip(self.sightings, names.tolist(), strict=True)
        ]

    def among(self, strangers: Seen, count: int) -> Seen:
        """The same with the first `count` strangers who are not in this set."""
        cast = {row["person"] for row in self.truth}
        people = sorted({row["person"] for row in strangers.truth} - cast)[:count]
        chosen = np.array([Path(row["video"]).stem in set(people) for row in strangers.sightings], np.bool_)
        return _both(self, strangers.only(chosen))

    def only(self, chosen: NDArray[np.bool_]) -> Seen:
        """Some of the tracks."""
        of_vector = chosen[self.held]
        place = np.cumsum(of_vector) - 1
        kept = of_vector[self.owner]
        return replace(
            self,
            sightings=[row for row, keep in zip(self.sightings, chosen.tolist(), strict=True) if keep],
            **{
                name: getattr(self, name)[chosen]
                for name in ("video", "start_s", "end_s", "picture", "quality", "held")
            },
            template=self.template[of_vector],
            exemplars=self.exemplars[kept],
            owner=place[self.owner[kept]].astype(np.int32),
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--models", default="light")
    parser.add_argument("--footage", type=Path, nargs="*", default=[], help="more folders of sets")
    parser.add_argument("--sets", default="", help="only these, joined by commas")
    a = parser.parse_args()
    data = data_folder()
    sources = {
        path.parent.name: path.parent for root in (data / "footage", *a.footage) for path in root.glob("*/truth.csv")
    }
    sources |= {STILLS: data / "stills" / "lfw", STRANGERS: data / "stills" / "lfw"}
    for name in a.sets.split(",") if a.sets else sorted(sources):
        if not place_of(a.folder, a.models, name).exists():
            seen = _look(name, sources[name], choose(a.models))
            save(place_of(a.folder, a.models, name), seen)
            print(f"{a.models} {name}: {len(seen.sightings)} tracks", flush=True)


def place_of(folder: Path, models: str, name: str) -> Path:
    """Where a set is kept."""
    return folder / models / f"{name}.npz"


def save(path: Path, seen: Seen) -> None:
    """Keep a set."""
    path.parent.mkdir(parents=True, exist_ok=True)
    arrays: dict[str, Any] = {field.name: getattr(seen, field.name) for field in fields(seen)}
    texts = {name: json.dumps(arrays[name]) for name in ("sightings", "truth")}
    np.savez(path, **arrays | texts)


def load(path: Path) -> Seen:
    """A set that was kept."""
    with np.load(path) as kept:
        arrays = dict(kept)
    texts = {name: json.loads(str(arrays[name])) for name in ("sightings", "truth")}
    return Seen(**arrays | texts | {"model": str(arrays["model"])})


def _look(name: str, source: Path, choice: Choice) -> Seen:
    if name == STILLS:
        return _of_stills(source, choice)
    if name == STRANGERS:
        people = sorted(path for path in source.iterdir() if path.is_dir())
        truth = [{"video": f"{person.name}.jpg", "person": person.name} for person in people]
        return _of_files([min(person.glob("*.jpg")) for person in people], truth, choice)
    from score import read

    return _of_files(videos_of(source), read(source / "truth.csv"), choice)


def _of_files(paths: Iterable[Path], truth: list[dict[str, str]], choice: Choice) -> Seen:
    """Analyse files as `index` does, in the order of their contents."""
    parts, settings = Parts(choice.open_detector(), choice.open_embedder()), Settings()
    keys = sorted((hashlib.sha256(path.read_bytes()).hexdigest(), path) for path in paths)
    found = [
        (path, number, track)
        for number, (key, path) in enumerate(keys)
        for track in _tracks(path, key, parts, settings)
    ]
    tracks = [track for _, _, track in found]
    named = [f"{path.parent.name}.jpg" if path.suffix == ".jpg" else path.name for path, _, _ in found]
    held = [track for track in tracks if len(track.template)]
    dimensions = parts.embedder.dimensions
    return Seen(
        sightings=[_sighting(name, track) for name, track in zip(named, tracks, strict=True)],
        truth=truth,
        video=np.array([number for _, number, _ in found], np.int64),
        start_s=np.array([track.track.time_s[0] for track in tracks], np.float64),
        end_s=np.array([track.track.time_s[-1] for track in tracks], np.float64),
        picture=np.array([path.suffix == ".jpg" for path, _, _ in found], np.bool_),
        quality=np.array([track.track.quality[track.track.best] for track in tracks], np.float32),
        held=np.array([len(track.template) > 0 for track in tracks], np.bool_),
        template=np.concatenate([np.zeros((0, dimensions), np.float32), *(t.template.vectors for t in held)]),
        exemplars=np.concatenate([np.zeros((0, dimensions), np.float32), *(t.exemplars.vectors for t in held)]),
        owner=np.repeat(np.arange(len(held)), [len(t.exemplars) for t in held]).astype(np.int32),
        model=parts.embedder.model,
    )


def _tracks(path: Path, sha256: str, parts: Parts, settings: Settings) -> Sequence[TrackAnalysis]:
    return sorted(analyse(path, sha256, parts, settings).tracks, key=lambda t: _best(t))


def _best(analysis: TrackAnalysis) -> tuple[float, ...]:
    track = analysis.track
    return float(track.time_s[track.best]), *track.xyxy[track.best].tolist()


def _sighting(video: str, analysis: TrackAnalysis) -> dict[str, str]:
    best_s, *box = _best(analysis)
    time_s = analysis.track.time_s
    numbers = {"start_s": time_s[0], "end_s": time_s[-1], "best_s": best_s}
    numbers |= dict(zip(("x1", "y1", "x2", "y2"), box, strict=True))
    return {"video": video} | {name: f"{value:.3f}" for name, value in numbers.items()}


def _of_stills(source: Path, choice: Choice) -> Seen:
    """The most central face of every still, each a track of its own."""
    embedder = choice.open_embedder()
    seen = see(labelled_pictures(source), choice.open_detector(), {"": embedder})
    n = len(seen.quality)
    rows: list[int] = np.flatnonzero(seen.face).tolist()
    return Seen(
        sightings=[{"video": seen.pictures[row]} for row in rows],
        truth=[{"video": seen.pictures[row], "person": seen.names[seen.people[row]]} for row in rows],
        video=np.arange(n),
        start_s=np.zeros(n),
        end_s=np.zeros(n),
        picture=np.ones(n, np.bool_),
        quality=seen.quality,
        held=np.ones(n, np.bool_),
        template=seen.vectors[""],
        exemplars=seen.vectors[""],
        owner=np.arange(n, dtype=np.int32),
        model=embedder.model,
    )


def _both(one: Seen, other: Seen) -> Seen:
    """Two sets as one archive, with the truth of the first."""
    joined = {
        name: np.concatenate([getattr(one, name), getattr(other, name)])
        for name in ("start_s", "end_s", "picture", "quality", "held", "template", "exemplars")
    }
    return replace(
        one,
        **joined,
        sightings=[*one.sightings, *other.sightings],
        video=np.concatenate([one.video, other.video + one.video.max(initial=-1) + 1]),
        owner=np.concatenate([one.owner, other.owner + np.int32(len(one.template))]),
    )


if __name__ == "__main__":
    main()
