"""Change the models of an archive: every track gets vectors of the new embedder, then people are sorted anew.

The faces that the archive keeps are enough; where it keeps none, the footage is looked at again. Old vectors stay until
the last new one is there, so that the archive works all the while and a stopped change goes on where it was.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np
from sqlalchemy import Connection, delete, exists, func, insert, select

from archive.catalogue import Catalogue
from archive.engines import OpenParts
from archive.events import Event, Note, Revectoring
from archive.folders import write_folders
from archive.packing import unpack_crop, unpack_track
from archive.runlog import RunLog
from archive.saving import crop_rows, vector_row
from archive.schema import crops, files, roots, tracks, trails, vectors
from archive.sorting.settle import settle
from cvid.analyse import Parts
from cvid.chips import as_crop, from_crop
from cvid.drift import belonging
from cvid.errors import CatalogueError, VideoError
from cvid.places import Place, joined
from cvid.revisit import best_faces, revisit
from cvid.settings import Settings
from cvid.templates import likeness, mean_vector
from cvid.types import Crop, Embeddings, FaceChip

_TRACKS_AT_ONCE = 64


@dataclass(frozen=True)
class Changed:
    """What a change of models came to. `left_out`: tracks without new vectors, nobody's from now on."""

    before: dict[str, str]
    after: dict[str, str]
    tracks: int
    left_out: int
    identities: int


def change_models(
    archive: Path,
    open_parts: OpenParts,
    settings: Settings,
    hook: Callable[[Event], None],
    *,
    set_name: str = "",
    leave_out: bool = False,
) -> Changed:
    """Give all tracks vectors of the chosen models, and sort them into people with the ids that they have.

    Args:
        open_parts: gives the networks from now on; the detector serves footage to come.
        set_name: the model set that they are, if they are one.
        leave_out: tracks of which neither faces nor footage are left become nobody's instead of stopping the change.

    Raises:
        CatalogueError: there is nothing to change, or tracks are left that cannot be seen again. The archive's own
            models give up a change that was begun.
        KeyboardInterrupt: what was finished is kept; the same change goes on from there.
    """
    with Catalogue.create_or_open(archive) as catalogue, RunLog(archive) as log:
        own = catalogue.models()
        if not own:
            raise CatalogueError(
                f"the archive {archive} holds no footage yet; `index --models NAME` settles its models"
            )
        parts = open_parts()
        after = {"detector": f"{parts.detector.name}:{parts.detector.weights}", "embedder": parts.embedder.model}
        if set_name:
            after["set"] = set_name
        if after.items() <= own.items():
            if not catalogue.fact("changing"):
                raise CatalogueError(f"the archive {archive} uses these models already")
            _give_up(catalogue, own)
            return Changed(own, own, catalogue.track_count(), 0, len(catalogue.people()))
        run = catalogue.start_run(settings.model_dump())
        log.write("change", id=run, before=own, after=after, settings=settings.model_dump())
        catalogue.set_fact("changing", after)
        left = _revector(catalogue, parts, settings, hook)
        if left and not leave_out:
            raise CatalogueError(_cannot_see(catalogue, left))
        with catalogue.atomic():
            catalogue.connection.execute(delete(vectors).where(vectors.c.model != parts.embedder.model))
            catalogue.set_fact("models", after)
            catalogue.set_fact("changing", None)
            catalogue.set_fact("settled", "")
        settle(catalogue, settings, anew=True)
        write_folders(catalogue, archive, hook)
        providers = dict.fromkeys(parts.detector.providers + parts.embedder.providers)
        catalogue.finish_run(run, "changed models", after, list(providers))
        log.write("changed", left_out=left)
        return Changed(own, after, catalogue.track_count(), len(left), len(catalogue.people()))


def _give_up(catalogue: Catalogue, own: dict[str, str]) -> None:
    """Forget a change of models that was begun: the archive stays with its own."""
    with catalogue.atomic():
        catalogue.connection.execute(delete(vectors).where(vectors.c.model != own["embedder"]))
        catalogue.set_fact("changing", None)


def _revector(catalogue: Catalogue, parts: Parts, settings: Settings, hook: Callable[[Event], None]) -> list[str]:
    """New vectors for all tracks that have old ones; the ids of those that could not be seen again."""
    connection, model = catalogue.connection, parts.embedder.model
    total = int(connection.execute(select(func.count(vectors.c.track_id.distinct()))).scalar_one())
    done = int(connection.execute(select(func.count()).where(vectors.c.model == model)).scalar_one())
    hook(Revectoring(done, total))
    for group in _batches(_waiting(connection, model, kept=True)):
        with catalogue.atomic():
            _embed(connection, parts, {track_id: _kept(connection, track_id) for track_id in group}, keep=False)
        done += len(group)
        hook(Revectoring(done, total))
    for path, group in _by_file(connection, _waiting(connection, model, kept=False)):
        try:
            found = _seen_again(connection, path, group, parts, settings)
        except (VideoError, FileNotFoundError) as exc:
            hook(Note(f"{path}: cannot be looked at again ({exc})"))
            continue
        with catalogue.atomic():
            _embed(connection, parts, found, keep=settings.faces.crops)
        done += len(found)
        hook(Revectoring(done, total))
    return _waiting(connection, model)


def _waiting(connection: Connection, model: str, kept: bool | None = None) -> list[str]:
    """Tracks with a vector, but none of this model; with `kept`, those that have kept faces, or have none."""
    fresh = vectors.alias()
    query = select(vectors.c.track_id).where(
        ~exists().where(fresh.c.track_id == vectors.c.track_id, fresh.c.model == model)
    )
    if kept is not None:
        here = exists().where(crops.c.track_id == vectors.c.track_id)
        query = query.where(here if kept else ~here)
    return list(connection.execute(query.distinct().order_by(vectors.c.track_id)).scalars())


def _batches(ids: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(ids), _TRACKS_AT_ONCE):
        yield ids[start : start + _TRACKS_AT_ONCE]


def _kept(connection: Connection, track_id: str) -> list[tuple[FaceChip, float]]:
    """The faces that the archive keeps of a track, with their quality."""
    query = select(crops).where(crops.c.track_id == track_id).order_by(crops.c.rank)
    stored = [unpack_crop(row.points, row.scale, row.quality, row.jpeg) for row in connection.execute(query)]
    return [(from_crop(crop), crop.quality) for crop in stored]


def _embed(connection: Connection, parts: Parts, faces: dict[str, list[tuple[FaceChip, float]]], keep: bool) -> None:
    """Write the vectors of some tracks, and with `keep` the faces themselves."""
    found = parts.embedder.embed([chip for own in faces.values() for chip, _ in own])
    limits = likeness(found.model)
    rows: list[dict[str, Any]] = []
    start = 0
    for track_id, own in faces.items():
        vectors_of = Embeddings(found.vectors[start : start + len(own)], found.model)
        start += len(own)
        place = belonging(vectors_of.vectors, *limits)
        exemplars = Embeddings(vectors_of.vectors[place], found.model)
        template = mean_vector(exemplars, np.array([own[i][1] for i in place], np.float32))
        if len(template):
            rows.append(vector_row(track_id, exemplars, template))
        if keep:
            stored: list[Crop] = [as_crop(chip, quality) for chip, quality in own]
            connection.execute(insert(crops), crop_rows(track_id, stored))
    if rows:
        connection.execute(insert(vectors), rows)


def _by_file(connection: Connection, ids: Sequence[str]) -> Iterator[tuple[Place, list[str]]]:
    """The tracks of each file that lies where it was last seen."""
    wanted = set(ids)
    query = (
        select(tracks.c.id, tracks.c.sha256, roots.c.path.label("root"), files.c.path)
        .join(files, files.c.sha256 == tracks.c.sha256)
        .join(roots)
        .where(files.c.missing.is_(False))
        .order_by(tracks.c.sha256, files.c.root_id, files.c.path, tracks.c.id)
    )
    rows = [row for row in connection.execute(query) if row.id in wanted] if wanted else []
    for _, of_content in groupby(rows, key=lambda row: row.sha256):
        for (root, path), of_file in groupby(list(of_content), key=lambda row: (row.root, row.path)):
            yield joined(root, path), [row.id for row in of_file]
            break  # one file of a content is enough


def _seen_again(
    connection: Connection, path: Place, ids: Sequence[str], parts: Parts, settings: Settings
) -> dict[str, list[tuple[FaceChip, float]]]:
    """Track → its best faces, found again in the footage; without those that cannot be found."""
    wanted = defaultdict(list)
    for row in connection.execute(select(trails).where(trails.c.track_id.in_(ids))):
        track = unpack_track(row.data)
        for place in best_faces(track.quality, settings.faces.exemplars):
            wanted[int(track.frame_index[place])].append((row.track_id, track.xyxy[place]))
    found: dict[str, list[tuple[FaceChip, float]]] = defaultdict(list)
    for track_id, chip, quality in revisit(path, wanted, parts.detector):
        found[track_id].append((chip, quality))
    return {track_id: sorted(own, key=lambda face: -face[1]) for track_id, own in found.items()}


def _cannot_see(catalogue: Catalogue, left: Sequence[str]) -> str:
    unseen = set(left)
    where = {seen.video for seen in catalogue.appearances() if seen.appearance in unseen}
    named = ", ".join(sorted(where)[:5]) + (f" and {len(where) - 5} more" if len(where) > 5 else "")
    return (
        f"of {len(left)} appearances the archive keeps no faces, and they cannot be seen again in {named}: bring that "
        "footage back and run the same command again, or add --leave-out, which makes them nobody's; everything else "
        "is done, and the archive still uses its old models"
    )
