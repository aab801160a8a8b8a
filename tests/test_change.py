"""Changing the models of an archive: identities stay, vector spaces never mix, a stopped change goes on."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from builders import BLUE, GREEN, RED, film, painted_settings, photograph
from fakes import ColourEmbedder, SquareDetector, open_fakes, open_others
from sqlalchemy import func, select

from archive.catalogue import Catalogue
from archive.change import change_models
from archive.events import Event, Note, Revectoring
from archive.index import index_footage
from archive.schema import crops, vectors
from cvid.analyse import Parts
from cvid.chips import as_crop, cut_chip, from_crop
from cvid.errors import CatalogueError
from cvid.opencv import cv2
from cvid.settings import Settings
from cvid.types import Embeddings, FaceChip

OTHER = "colours:" + "1" * 12


class WideEmbedder(ColourEmbedder):
    """Another space: twice the dimensions."""

    dimensions = 6

    def embed(self, chips: Sequence[FaceChip], views: Sequence[int] | None = None) -> Embeddings:
        vectors = super().embed(chips).vectors
        return Embeddings(np.hstack([vectors, np.zeros_like(vectors)]), self.model)


def open_wide() -> Parts:
    return Parts(SquareDetector(), WideEmbedder("1" * 12))


@pytest.fixture
def footage(tmp_path: Path) -> Path:
    folder = tmp_path / "footage"
    film(folder / "a.mp4", RED)
    film(folder / "b.mp4", RED, GREEN)
    film(folder / "c.mp4", BLUE)
    photograph(folder / "d.png", RED, GREEN)
    return folder


def index(archive: Path, footage: Path, settings: Settings | None = None) -> None:
    index_footage(archive, [footage], settings or painted_settings(), lambda _: None, open_parts=open_fakes)


def without_crops() -> Settings:
    settings = painted_settings()
    return settings.model_copy(update={"faces": settings.faces.model_copy(update={"crops": False})})


def people(archive: Path) -> dict[str, list[tuple[str, float]]]:
    found: dict[str, list[tuple[str, float]]] = {}
    with Catalogue.open(archive) as catalogue:
        for a in catalogue.appearances():
            found.setdefault(a.identity, []).append((a.video, a.start_s))
    return found


def held(archive: Path) -> dict[str, int]:
    with Catalogue.open(archive) as catalogue:
        query = select(vectors.c.model, func.count()).group_by(vectors.c.model)
        return {row[0]: int(row[1]) for row in catalogue.connection.execute(query)}


def test_everybody_keeps_the_id_in_the_new_space(tmp_path: Path, footage: Path) -> None:
    archive = tmp_path / "archive"
    index(archive, footage)
    before, events = people(archive), list[Event]()
    (footage / "a.mp4").unlink()  # the faces that the archive keeps are enough
    changed = change_models(archive, open_wide, painted_settings(), events.append, set_name="wide")
    assert people(archive) == before and held(archive) == {OTHER: 6}
    assert (changed.tracks, changed.left_out, changed.identities) == (6, 0, 3)
    assert [e.done for e in events if isinstance(e, Revectoring)] == [0, 6]
    with Catalogue.open(archive) as catalogue:
        assert catalogue.models() == {"detector": "squares:" + "0" * 12, "embedder": OTHER, "set": "wide"}
        assert catalogue.status().runs[0].outcome == "changed models" and catalogue.status().runs[0].providers
        assert catalogue.status().changing is None and catalogue.status().crop_bytes > 1000
    with pytest.raises(CatalogueError, match="uses these models already"):
        change_models(archive, open_wide, painted_settings(), lambda _: None, set_name="wide")
    film(footage / "new.mp4", GREEN)
    with pytest.raises(CatalogueError, match="models use"):
        index(archive, footage)


def test_a_stopped_change_goes_on_and_the_archive_works_meanwhile(tmp_path: Path, footage: Path) -> None:
    archive = tmp_path / "archive"
    index(archive, footage)
    before = people(archive)

    def stop(event: Event) -> None:
        if isinstance(event, Revectoring) and event.done:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        change_models(archive, open_others, painted_settings(), stop)
    with Catalogue.open(archive) as catalogue:
        changing = catalogue.status().changing
        assert changing and changing.models["embedder"] == OTHER and (changing.done, changing.total) == (6, 6)
        assert catalogue.models()["embedder"] == "colours:" + "0" * 12
    film(footage / "e.mp4", GREEN)
    index(archive, footage)
    assert held(archive) == {OTHER: 6, "colours:" + "0" * 12: 7}, "the old space serves until the change is done"
    events: list[Event] = []
    change_models(archive, open_others, painted_settings(), events.append)
    assert [e.done for e in events if isinstance(e, Revectoring)] == [6, 7]
    assert held(archive) == {OTHER: 7}
    after = people(archive)
    assert {i: set(seen) - {("e.mp4", 0.0)} for i, seen in after.items()} == {
        i: set(seen) for i, seen in before.items()
    }


def test_a_begun_change_can_be_given_up(tmp_path: Path, footage: Path) -> None:
    archive = tmp_path / "archive"
    index(archive, footage)
    before = people(archive)

    def stop(event: Event) -> None:
        if isinstance(event, Revectoring) and event.done:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        change_models(archive, open_others, painted_settings(), stop)
    back = change_models(archive, open_fakes, painted_settings(), lambda _: None)
    assert back.before == back.after and held(archive) == {"colours:" + "0" * 12: 6} and people(archive) == before
    with Catalogue.open(archive) as catalogue:
        assert catalogue.status().changing is None


def test_without_kept_faces_the_footage_is_looked_at_again(tmp_path: Path, footage: Path) -> None:
    archive = tmp_path / "archive"
    index(archive, footage, without_crops())
    before = people(archive)
    with Catalogue.open(archive) as catalogue:
        assert catalogue.status().crop_bytes == 0
    change_models(archive, open_others, painted_settings(), lambda _: None)
    assert people(archive) == before and held(archive) == {OTHER: 6}
    with Catalogue.open(archive) as catalogue:
        assert catalogue.connection.execute(select(func.count()).select_from(crops)).scalar_one() >= 6


def test_what_cannot_be_seen_again_stops_the_change_or_is_left_out(tmp_path: Path, footage: Path) -> None:
    archive = tmp_path / "archive"
    index(archive, footage, without_crops())
    before = people(archive)
    (footage / "c.mp4").unlink()
    (footage / "a.mp4").write_bytes(b"damaged since")
    notes: list[Event] = []
    with pytest.raises(CatalogueError, match=r"of 2 appearances .* a\.mp4, c\.mp4: bring that footage back"):
        change_models(archive, open_others, painted_settings(), notes.append)
    assert any(isinstance(e, Note) and "a.mp4" in e.text for e in notes)
    assert people(archive) == before, "the archive still uses its old models"
    changed = change_models(archive, open_others, painted_settings(), lambda _: None, leave_out=True)
    assert changed.left_out == 2 and held(archive) == {OTHER: 4}
    after = people(archive)
    assert {video for video, _ in after[""]} == {"a.mp4", "c.mp4"}
    assert all(set(seen) <= set(before[i]) for i, seen in after.items() if i), "nobody got another id"


def test_an_empty_archive_has_nothing_to_change(tmp_path: Path) -> None:
    Catalogue.create_or_open(tmp_path).close()
    with pytest.raises(CatalogueError, match="holds no footage yet"):
        change_models(tmp_path, open_others, painted_settings(), lambda _: None)


def test_a_stored_face_is_nearly_the_face() -> None:
    rng = np.random.default_rng(1)
    picture = np.asarray(rng.integers(60, 200, (20, 20, 3), np.uint8).repeat(12, 0).repeat(12, 1), np.uint8)
    picture = np.asarray(cv2.GaussianBlur(picture, (0, 0), 6), np.uint8)
    points = np.array([[100, 100], [140, 100], [120, 120], [105, 140], [135, 140]], np.float32)
    chip = cut_chip(picture, np.array([80, 70, 160, 170], np.float32), points)
    back = from_crop(as_crop(chip, 0.5))
    assert np.abs(back.bgr.astype(int) - chip.bgr).mean() < 1.5
    assert np.array_equal(back.landmarks, chip.landmarks) and back.scale == chip.scale
