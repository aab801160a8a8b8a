#!/usr/bin/env python3
"""How `cvid report` copes with many people: makes an archive of so many, and measures the report of it.

    python benchmarks/many_people.py [FOLDER] [--people 10000] [--appearances 200000] [--no-report]

The archive is written row by row as indexing would leave it, with vectors, pictures and questions, but without footage
and without analysing anything; `make_archive` is there for other measurements too. Some people are named in the
catalogue alone, not in the journal. FOLDER keeps the archive; without it, it is gone afterwards.
"""

from __future__ import annotations

import argparse
import hashlib
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from sqlalchemy import Table, insert
from usage import measured

from archive.catalogue import Catalogue
from archive.packing import pack_track, pack_vectors
from archive.schema import assignments, doubts, files, identities, pictures, roots, tracks, trails, vectors, videos
from cvid.calibration import SHIPPED
from cvid.clustering.bars import bar_for
from cvid.clustering.certainty import Certainty, certainty, confident
from cvid.opencv import cv2
from cvid.settings import ClusteringSettings
from cvid.types import Floats, Ints, Track

MAIN = Path(__file__).resolve().parent.parent / "main.py"
MODEL = "mobilefacenet:" + "0" * 12
DIMENSIONS = 128
IN_A_VIDEO = 40
STEP_S, LASTS_S = 5.0, 6.5
FACES = 64
NAMES = ("Jane Doe", "Ada Nguyễn", "محمد الأمين", "O'Brien <b>", "María-José [x]", "李小龙", "Søren Ågård")
_AT_ONCE = 2000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, nargs="?")
    parser.add_argument("--people", type=int, default=10_000)
    parser.add_argument("--appearances", type=int, default=200_000)
    parser.add_argument("--no-report", action="store_true")
    a = parser.parse_args()
    with tempfile.TemporaryDirectory() as passing:
        archive = a.folder or Path(passing, "archive")
        started = time.perf_counter()
        make_archive(archive, a.people, a.appearances)
        print(f"made in {time.perf_counter() - started:.1f} s", flush=True)
        if not a.no_report:
            measure_report(archive)


def measure_report(archive: Path) -> None:
    """Time and memory of `report`, the size of what came of it, and what the first page loads before it is searched."""
    usage = measured([sys.executable, str(MAIN), "report", "--archive", str(archive)])
    if usage.exit:
        sys.exit(usage.reason)
    page = archive / "reports"
    written = [path for path in page.rglob("*") if path.is_file()]
    total = sum(path.stat().st_size for path in written)
    first = sum((page / name).stat().st_size for name in ("index.html", "assets/page.css", "assets/page.js"))
    portraits = sorted((page / "portraits").glob("*.jpg"), key=lambda path: path.name)[:200]
    shown = sum(path.stat().st_size for path in portraits)
    searched = sum((page / name).stat().st_size for name in ("assets/people.js", "assets/where.js"))
    print(f"report: {usage.seconds:.1f} s, {usage.cpu_s:.1f} CPU s, {usage.largest_mib:.0f} MiB")
    print(f"{len(written):,} files, {total / 1e6:,.0f} MB")
    print(f"first page {first / 1e3:.0f} kB, its portraits {shown / 1e3:.0f} kB more; search {searched / 1e3:.0f} kB")


def make_archive(folder: Path, people: int, appearances: int, seed: int = 1) -> None:
    """Write an archive of so many people, of whom each is seen once at least, in videos of about 40 appearances.

    Those who belong to one circle of 20 share most of their videos.
    """
    chance = np.random.default_rng(seed)
    person = _shared_out(people, max(appearances, people), chance)
    video = _videos(person, chance)
    start_s, end_s = _times(video, person)
    template = _templates(person, people, chance)
    settings = ClusteringSettings()
    bar = bar_for(MODEL, len(person), settings)
    sure = certainty(template, video, person, bar, np.ones(people, np.bool_))
    ids = [f"P{number + 1:04d}" for number in range(people)]
    track_ids = [hashlib.sha256(f"{seed} {row}".encode()).hexdigest()[:12] for row in range(len(person))]
    quality = chance.beta(4, 2.5, len(person))
    with Catalogue.create_or_open(folder) as catalogue, catalogue.atomic():
        catalogue.settle_models({"detector": "scrfd_500m:" + "0" * 12, "embedder": MODEL, "set": "light"})
        run = catalogue.start_run({})
        count = int(video.max()) + 1
        _fill(catalogue, roots, iter([{"id": 1, "path": "/footage"}]))
        _fill(catalogue, videos, (_video(run, v, float(end_s[video == v].max())) for v in range(count)))
        _fill(catalogue, files, (_file(v) for v in range(count)))
        _fill(catalogue, identities, (_identity(row, one, sure) for row, one in enumerate(ids)))
        faces = _faces(chance)
        _fill(catalogue, tracks, _tracks(track_ids, video, start_s, end_s, quality))
        _fill(catalogue, trails, _trails(track_ids, start_s, end_s, quality))
        _fill(catalogue, vectors, _vectors(track_ids, template))
        _fill(catalogue, pictures, _pictures(track_ids, person, start_s, faces))
        _fill(catalogue, assignments, _assignments(track_ids, person, ids, sure))
        _fill(catalogue, doubts, _doubts(track_ids, person, ids, sure, chance))
        measured_of = asdict(SHIPPED["mobilefacenet"])
        rules = {name: list(value) if isinstance(value, tuple) else value for name, value in measured_of.items()}
        rules["tail"] = [list(point) for point in rules["tail"]]
        catalogue.set_fact("clustering", {"settings": settings.model_dump(), "measured": rules})
        catalogue.set_fact("last_identity", people)
        catalogue.set_fact("settled", True)
        catalogue.set_fact("shown", True)
        catalogue.finish_run(run, "done", {}, [])


def _fill(catalogue: Catalogue, table: Table, rows: Iterator[dict[str, Any]]) -> None:
    some: list[dict[str, Any]] = []
    for row in rows:
        some.append(row)
        if len(some) == _AT_ONCE:
            catalogue.connection.execute(insert(table), some)
            some = []
    if some:
        catalogue.connection.execute(insert(table), some)


# --- who is where


def _shared_out(people: int, appearances: int, chance: np.random.Generator) -> Ints:
    """(n,) whose each appearance is: a few people have many."""
    weight = 1 / (np.arange(people) + 10.0) ** 0.7
    rest = chance.choice(people, appearances - people, p=weight / weight.sum())
    return np.asarray(chance.permutation(np.concatenate([np.arange(people), rest])), np.int64)


def _videos(person: Ints, chance: np.random.Generator) -> Ints:
    """(n,) the video of each appearance; all numbers from 0 are used."""
    count = max(len(person) // IN_A_VIDEO, 1)
    circle = person // 20 * 7 + chance.integers(0, 7, len(person))
    anywhere = chance.integers(0, count, len(person))
    video = np.where(chance.random(len(person)) < 0.7, circle % count, anywhere)
    return np.asarray(np.unique(video, return_inverse=True)[1], np.int64).reshape(-1)


def _times(video: Ints, person: Ints) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """(n,) from when to when: one after another in their video, and a little of two people at once."""
    order = np.argsort(video, kind="stable")
    first = np.searchsorted(video[order], np.arange(int(video.max()) + 1))
    place = np.empty(len(video), np.int64)
    place[order] = np.arange(len(video)) - first[video[order]]
    following = np.empty(len(video), np.int64)
    following[order] = np.append(person[order][1:], -1)
    start = place * STEP_S
    return start, start + np.where(following == person, STEP_S - 1, LASTS_S)


def _templates(person: Ints, people: int, chance: np.random.Generator) -> Floats:
    """(n, d) vectors that are about 0.65 alike within a person, and now and then far less."""
    means = chance.normal(size=(people, DIMENSIONS)).astype(np.float32)
    means /= np.linalg.norm(means, axis=1, keepdims=True)
    spread = chance.gamma(3.0, 0.024, len(person)).astype(np.float32)[:, None]
    vectors_ = means[person] + spread * chance.normal(size=(len(person), DIMENSIONS)).astype(np.float32)
    return np.asarray(vectors_ / np.linalg.norm(vectors_, axis=1, keepdims=True), np.float32)


# --- rows


def _sha(video: int) -> str:
    return hashlib.sha256(f"video {video}".encode()).hexdigest()


def _video(run: int, video: int, last_s: float) -> dict[str, Any]:
    return {
        "sha256": _sha(video), "run_id": run, "kind": "video", "width": 1280, "height": 720, "duration_s": last_s + 3,
        "rate_numerator": 25, "rate_denominator": 1, "codec": "h264", "rotation_deg": 0, "decoded": 100, "reasons": {},
        "faces": 100, "seconds": 1.0, "damage": "", "speed": "balanced",
    }  # fmt: skip


def _file(video: int) -> dict[str, Any]:
    path = f"tape {video // 50:03}/clip_{video:05}.mp4"
    known = {"size": 1, "mtime_ns": 1, "inode": video, "missing": video % 97 == 96, "reason": ""}
    return {"root_id": 1, "path": path, "sha256": _sha(video), **known}


def _identity(row: int, identity: str, sure: Certainty) -> dict[str, Any]:
    name = f"{NAMES[row // 8 % len(NAMES)]} {row}" if row % 8 == 0 else ""
    status = "confirmed" if row % 16 == 0 else "unconfirmed"
    return {"id": identity, "name": name, "status": status, "tightness": _number(sure.tightness[row])}


def _tracks(ids: list[str], video: Ints, start_s: Any, end_s: Any, quality: Any) -> Iterator[dict[str, Any]]:
    for row, one in enumerate(ids):
        x = 100.0 + row % 900
        yield {
            "id": one, "sha256": _sha(int(video[row])), "start_s": float(start_s[row]), "end_s": float(end_s[row]),
            "best_s": float(start_s[row] + 1), "x1": x, "y1": 100.0, "x2": x + 120, "y2": 250.0, "faces": 3,
            "quality": float(quality[row]),
        }  # fmt: skip


def _trails(ids: list[str], start_s: Any, end_s: Any, quality: Any) -> Iterator[dict[str, Any]]:
    box, score = np.tile(np.array([100, 100, 220, 250], np.float32), (3, 1)), np.full(3, 0.9, np.float32)
    for row, one in enumerate(ids):
        times = np.linspace(start_s[row], end_s[row], 3)
        xyxy = box + np.array([row % 900, 0, row % 900, 0], np.float32)
        seen = Track(times, np.round(times * 25).astype(np.int64), xyxy, score, np.full(3, quality[row], np.float32))
        yield {"track_id": one, "data": pack_track(seen)}


def _vectors(ids: list[str], template: Floats) -> Iterator[dict[str, Any]]:
    for one, vector in zip(ids, template, strict=True):
        packed = pack_vectors(vector)
        yield {"track_id": one, "model": MODEL, "count": 1, "template": packed, "exemplars": packed}


def _pictures(ids: list[str], person: Ints, start_s: Any, faces: list[bytes]) -> Iterator[dict[str, Any]]:
    for row, one in enumerate(ids):
        jpeg = faces[int(person[row]) % FACES]
        digest = hashlib.sha256(jpeg).hexdigest()[:12]
        yield {"track_id": one, "rank": 0, "time_s": float(start_s[row] + 1), "digest": digest, "jpeg": jpeg}


def _assignments(ids: list[str], person: Ints, people: list[str], sure: Certainty) -> Iterator[dict[str, Any]]:
    is_sure = confident(sure, MODEL)
    for row, one in enumerate(ids):
        alone = np.isnan(sure.linkage[row])
        yield {
            "track_id": one, "identity": people[int(person[row])], "similarity": _number(sure.similarity[row]),
            "margin": _number(sure.margin[row]), "support": int(sure.support[row]),
            "certainty": "" if alone else "confident" if is_sure[row] else "doubtful", "reason": "",
        }  # fmt: skip


def _doubts(
    ids: list[str], person: Ints, people: list[str], sure: Certainty, chance: np.random.Generator
) -> Iterator[dict[str, Any]]:
    """The least alike of those who are not alone, and as many pairs of people."""
    first = {int(who): row for row, who in reversed(list(enumerate(person.tolist())))}
    known = np.flatnonzero(sure.nearest >= 0)
    least = known[np.argsort(sure.linkage[known])][:2500].tolist()
    pairs = [(one, (one + 1 + int(chance.integers(0, 19))) % len(people)) for one in range(min(len(people), 2500))]
    rows: list[tuple[str, int, int | None, int, int, float]] = [
        ("member", int(person[row]), None, row, int(sure.nearest[row]), float(sure.similarity[row])) for row in least
    ]
    rows += [("same", *sorted(p), first[p[0]], first[p[1]], 0.3) for p in pairs if p[0] != p[1]]  # type: ignore[misc]
    for rank, (kind, one, other, appearance, facing, alike) in enumerate(rows):
        yield {
            "rank": rank, "kind": kind, "identity": people[one], "other": None if other is None else people[other],
            "appearance": ids[appearance], "other_appearance": ids[facing], "similarity": alike,
            "gain": 20.0 / (rank + 1),
        }  # fmt: skip


def _faces(chance: np.random.Generator) -> list[bytes]:
    """JPEG files of painted faces of different colours, about as large as those of real ones."""
    found = []
    for _ in range(FACES):
        ground, skin, hair = (tuple(int(v) for v in chance.integers(60, 230, 3)) for _ in range(3))
        picture = np.full((170, 140, 3), ground, np.uint8)
        cv2.ellipse(picture, (70, 92), (44, 58), 0, 0, 360, skin, -1)
        cv2.ellipse(picture, (70, 60), (46, 40), 0, 180, 360, hair, -1)
        for x in (54, 86):
            cv2.circle(picture, (x, 86), 5, (30, 30, 30), -1)
        cv2.ellipse(picture, (70, 122), (16, 7), 0, 0, 180, (40, 40, 120), 3)
        noisy = picture.astype(np.int16) + chance.integers(-9, 10, picture.shape, dtype=np.int16)
        done, data = cv2.imencode(".jpg", np.clip(noisy, 0, 255).astype(np.uint8), [cv2.IMWRITE_JPEG_QUALITY, 85])
        assert done
        found.append(bytes(data))
    return found


def _number(value: float) -> float | None:
    return None if np.isnan(value) else float(value)


if __name__ == "__main__":
    main()
