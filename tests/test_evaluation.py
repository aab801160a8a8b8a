"""The figures of `evaluate`, on pairs and clusters whose answers were worked out by hand."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from builders import GREEN, RED, photograph
from fakes import ColourEmbedder, SquareDetector
from labelled import noisy, painted, painted_folder, seen

from cvid.errors import LabelsError
from cvid.evaluation import verification
from cvid.evaluation.bcubed import b_cubed
from cvid.evaluation.combinations import combinations, look_at
from cvid.evaluation.figures import measure
from cvid.evaluation.fusing import fused
from cvid.evaluation.groups import NO_GROUP, Groups, read_groups
from cvid.evaluation.histogram import histogram
from cvid.evaluation.pairs import Pair, accuracy, cosines_of, read_pairs
from cvid.evaluation.pictures import labelled_pictures
from cvid.evaluation.sorting import sorted_into_people
from cvid.evaluation.stills import central_face, see
from cvid.evaluation.verification import Scores
from cvid.opencv import cv2
from cvid.settings import ClusteringSettings, Settings
from cvid.types import Floats
from cvid.video import read_picture

FACED = np.ones(4, np.bool_)


def at_degrees(*degrees: float) -> Floats:
    angles = np.radians(degrees)
    return np.column_stack([np.cos(angles), np.sin(angles)]).astype(np.float32)


# verification


def test_true_accepts_at_a_false_accept_rate_worked_out_by_hand() -> None:
    """Two people at 0°, 30° and 50°, 110°: genuine pairs 30° and 60° apart, strangers 20°, 50°, 80° and 110°."""
    scores = Scores.of(at_degrees(0, 30, 50, 110), np.array([0, 0, 1, 1]), FACED)
    assert (scores.genuine_pairs, scores.impostor_pairs) == (2, 4)
    above = scores.at(0.7)  # cosines of one person 0.87 and 0.5, of strangers 0.94, 0.64, 0.17 and below 0
    assert (above.tar, above.far, above.false_accepts) == (0.5, 0.25, 1)
    assert (scores.at(0.4).tar, scores.at(0.4).far) == (1.0, 0.5)
    assert (scores.at(-1.0).tar, scores.at(-1.0).far) == (1.0, 1.0)
    assert (scores.at(1.0).tar, scores.at(1.0).far) == (0.0, 0.0)


def test_a_rate_that_too_few_strangers_support_is_none() -> None:
    people = np.repeat(np.arange(10), 5)  # 50 pictures: 1,125 pairs of strangers
    scores = Scores.of(noisy(people.tolist(), 0.8, 1), people, np.ones(50, np.bool_))
    assert scores.impostor_pairs == 1125
    point = scores.at_far(1e-2)
    assert point and point.false_accepts <= 11 and scores.at_far(1e-3) is None


def test_the_threshold_of_a_rate_is_the_lowest_that_keeps_it() -> None:
    random = np.random.default_rng(3)
    impostors, genuine = np.zeros(200_001, np.int64), np.zeros(200_001, np.int64)
    cosines = np.sort(random.choice(150_000, 2000, replace=False))
    impostors[cosines] = 1
    genuine[cosines[-20]], genuine[cosines[-21]] = 3, 1
    point = Scores(genuine, impostors, 8, 2000).at_far(1e-2)
    assert point and point.false_accepts == 20
    assert point.cosine == pytest.approx((cosines[-21] + 1) / 1e5 - 1)
    assert point.tar == 3 / 8, "of eight genuine pairs four have a cosine, and one of them lies below"


def test_blocks_give_the_same_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    people = np.repeat(np.arange(9), 4)
    vectors, face = noisy(people.tolist(), 0.7, 5), np.ones(36, np.bool_)
    whole = Scores.of(vectors, people, face)
    monkeypatch.setattr(verification, "_CELLS", 100)
    parts = Scores.of(vectors, people, face)
    assert abs(whole.genuine - parts.genuine).sum() <= 4  # a product may differ in its last bit
    assert parts.genuine.sum() == 54 and parts.impostors.sum() == 36 * 35 // 2 - 54


def test_pictures_without_a_face_are_refused_in_every_pair() -> None:
    face = np.array([True, True, False, True])
    scores = Scores.of(at_degrees(0, 0, 90), np.array([0, 0, 0, 1]), face)
    assert (scores.genuine_pairs, scores.impostor_pairs) == (3, 3)
    assert scores.genuine.sum() == 1 and scores.impostors.sum() == 2
    assert scores.at(0.5).tar == pytest.approx(1 / 3)


def test_one_person_and_nobody() -> None:
    alone = Scores.of(at_degrees(0, 10), np.array([0, 0]), FACED[:2])
    assert alone.at_far(1e-2) is None and alone.at(0.5).tar == 1.0 and alone.at(0.5).far == 0.0
    none = Scores.of(np.zeros((0, 2), np.float32), np.array([0, 1]), np.zeros(2, np.bool_))
    assert none.at(0.5).tar is None and none.genuine.sum() == none.impostors.sum() == 0


# B-cubed


def test_b_cubed_worked_out_by_hand() -> None:
    """Clusters {a a b}, {b}, {c}; people a a, b b, c: precision (2/3 + 2/3 + 1/3 + 1 + 1) / 5, recall (1+1+½+½+1)/5."""
    found = b_cubed(np.array([0, 0, 0, 1, 2]), np.array([0, 0, 1, 1, 2]))
    assert found.precision == pytest.approx((2 / 3 + 2 / 3 + 1 / 3 + 1 + 1) / 5)
    assert found.recall == pytest.approx(4 / 5)
    assert found.f == pytest.approx(2 * found.precision * found.recall / (found.precision + found.recall))
    assert (found.clusters, found.people, found.ratio) == (3, 3, 1.0)


def test_what_is_nobodys_is_a_cluster_of_its_own() -> None:
    found = b_cubed(np.array([0, -1, -1]), np.array([0, 0, 0]))
    assert (found.precision, found.clusters, found.ratio) == (1.0, 3, 3.0)
    assert found.recall == pytest.approx(1 / 3)


def test_b_cubed_of_a_part_looks_at_whole_clusters() -> None:
    """The part's two pictures share their cluster with a stranger."""
    part = b_cubed(np.array([0, 0, 0, 1]), np.array([0, 0, 1, 1]), np.array([True, True, False, False]))
    assert part.precision == pytest.approx(2 / 3) and part.recall == 1.0 and part.ratio == 1.0
    assert b_cubed(np.array([0]), np.array([0]), np.array([False])).f == 0.0


# sorting


def test_pictures_are_sorted_as_the_archive_would() -> None:
    face = np.array([True, True, False, True])
    labels = sorted_into_people(
        at_degrees(0, 5, 90), np.array([0.9, 0.9, 0.9], np.float32), face, "x:0", ClusteringSettings(bar=0.7)
    )
    assert labels.tolist() == [0, 0, -1, 1]


def test_poor_faces_found_nobody() -> None:
    poor = np.full(3, 0.05, np.float32)
    settings = ClusteringSettings(bar=0.7, found_quality=0.15)
    assert sorted_into_people(at_degrees(0, 5, 90), poor, FACED[:3], "x:0", settings).tolist() == [-1, -1, -1]
    poor[1] = 0.9
    assert sorted_into_people(at_degrees(0, 5, 90), poor, FACED[:3], "x:0", settings).tolist() == [0, 0, -1]


# pairs


def lfw_file(path: Path, folds: int = 2, each: int = 2) -> Path:
    lines = [f"{folds}\t{each}"]
    for fold in range(folds):
        lines += [f"A\t{fold + 1}\t{fold + 2}"] * each + [f"A\t{fold + 1}\tB_C\t{fold + 1}"] * each
    path.write_text("\n".join(lines) + "\n")
    return path


def test_lfws_pairs_are_read_with_their_folds(tmp_path: Path) -> None:
    pairs = read_pairs(lfw_file(tmp_path / "pairs.txt"))
    assert len(pairs) == 8 and [pair.fold for pair in pairs] == [0] * 4 + [1] * 4
    assert pairs[0] == Pair("A/A_0001", "A/A_0002", True, 0)
    assert pairs[-1] == Pair("A/A_0002", "B_C/B_C_0002", False, 1)


def test_a_csv_of_pairs_is_dealt_to_ten_folds(tmp_path: Path) -> None:
    rows = ["first,second,is the same"] + [f'"A/{n}, x.jpg",B/{n}.jpg,{n % 2}' for n in range(40)]
    (tmp_path / "pairs.csv").write_text("\n".join(rows))
    pairs = read_pairs(tmp_path / "pairs.csv")
    assert len(pairs) == 40 and pairs[1].first == "A/1, x.jpg"
    for fold in range(10):
        assert [pair.same for pair in pairs if pair.fold == fold].count(True) == 2


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("", "no pairs"),
        ("10\t300\nA\t1\t2\n", "promises 6,000 pairs and 1 lines"),
        ("1 1\nA 1 2\nA 1 B\n", "line 3 should read 'person n other m'"),
        ("a,b,1\na,b\n", "line 2 should read 'path,path,same'"),
        ("a,b,1\na,b,perhaps\n", "perhaps"),
    ],
)
def test_a_senseless_file_of_pairs_is_named(tmp_path: Path, content: str, says: str) -> None:
    (tmp_path / "pairs").write_text(content)
    with pytest.raises(LabelsError) as caught:
        read_pairs(tmp_path / "pairs")
    assert says in str(caught.value) and str(tmp_path / "pairs") in str(caught.value)


def test_pairs_that_are_no_text_are_named(tmp_path: Path) -> None:
    (tmp_path / "pairs").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(LabelsError, match="UTF-8"):
        read_pairs(tmp_path / "pairs")


def test_each_fold_is_judged_by_the_threshold_of_the_others() -> None:
    """Fold 0 asks for 0.3 and fold 1 for 0.6: at the other's threshold one of each fold's four pairs is wrong."""
    pairs = [Pair("", "", same, fold) for fold in (0, 1) for same in (True, True, False, False)]
    cosines = np.array([0.9, 0.4, 0.2, 0.1, 0.8, 0.7, 0.5, 0.1])
    found = accuracy(pairs, cosines)
    assert found and found.mean == pytest.approx((3 / 4 + 3 / 4) / 2) and found.pairs == 8
    cosines[7], cosines[3] = np.nan, -1.0
    found = accuracy(pairs, cosines)
    assert found and (found.pairs, found.left_out) == (7, 1)
    assert accuracy(pairs[:4], cosines[:4]) is None, "one fold has no others"


def test_pairs_find_their_pictures_with_or_without_ending() -> None:
    pairs = [Pair("A/1", "A/2.jpg", True, 0), Pair("A/1", "A/3", True, 0), Pair("A/1", "B/9", False, 0)]
    found = cosines_of(pairs, ["A/1.jpg", "A/2.jpg", "A/3.png"], np.array([True, True, False]), at_degrees(0, 60))
    assert found[0] == pytest.approx(0.5) and found[1] == -1.0 and np.isnan(found[2])


# groups


def test_groups_are_read_and_unknown_people_named(tmp_path: Path) -> None:
    (tmp_path / "groups.csv").write_text("\ufeffperson,group\nRed,warm\nBlue,cold\n\nNobody,cold\n", encoding="utf-8")
    groups = read_groups(tmp_path / "groups.csv", ["Red", "Blue", "Green"])
    assert [groups.group(person) for person in ("Red", "Blue", "Green")] == ["warm", "cold", NO_GROUP]
    assert list(groups.unknown) == ["Nobody"]


@pytest.mark.parametrize(
    ("content", "says"),
    [("", "nobody"), ("Red\n", "line 1"), ("Red,warm\nRed,cold\n", "line 2 puts 'Red' into 'cold'")],
)
def test_a_senseless_file_of_groups_is_named(tmp_path: Path, content: str, says: str) -> None:
    (tmp_path / "groups.csv").write_text(content)
    with pytest.raises(LabelsError) as caught:
        read_groups(tmp_path / "groups.csv", ["Red"])
    assert says in str(caught.value)


def test_groups_show_whom_a_model_serves_worse() -> None:
    """People 0–9 are told apart well; 10–19 look alike, so that strangers among them are let in."""
    people = [person for person in range(20) for _ in range(12)]
    vectors = noisy(people, 0.25, 7)
    alike = np.array(people) >= 10
    vectors[alike] = noisy(people, 0.25, 8)[alike] + 3 * np.eye(24, dtype=np.float32)[0]
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    groups = Groups({f"person {n}": "well" if n < 10 else "alike" for n in range(19)}, [])
    found = measure(seen(people, {"m": vectors}), ["m"], "calibrated", ClusteringSettings(), groups=groups)
    by_name = {group.name: group for group in found.groups}
    assert list(by_name) == [NO_GROUP, "alike", "well"]
    alike_figures, well = by_name["alike"], by_name["well"]
    assert alike_figures.at and well.at and alike_figures.at.cosine == well.at.cosine
    assert alike_figures.at.far > 3e-3 > well.at.far
    assert well.clustering.f > alike_figures.clustering.f
    assert by_name[NO_GROUP].people == 1 and by_name[NO_GROUP].impostor_pairs == 0
    assert found.as_json()["groups"][NO_GROUP]["far"] is None


# histogram


def test_a_histogram_holds_every_pair_once() -> None:
    people = np.repeat(np.arange(10), 5)
    scores = Scores.of(noisy(people.tolist(), 0.8, 1), people, np.ones(50, np.bool_))
    spread = histogram(scores, 30)
    assert len(spread.edges) == len(spread.genuine) + 1 <= 31
    assert spread.genuine.sum() == pytest.approx(1) and spread.impostors.sum() == pytest.approx(1)
    held = np.flatnonzero(scores.genuine) / 1e5 - 1
    first = np.flatnonzero(spread.genuine)[0]
    assert spread.edges[first] <= held[0] < spread.edges[first + 1]
    nothing = Scores(np.zeros(200_001, np.int64), np.zeros(200_001, np.int64), 0, 0)
    assert len(histogram(nothing, 30).genuine) == 0


# pictures


def test_one_folder_a_person(tmp_path: Path) -> None:
    painted_folder(tmp_path, 2, {"Red": RED, "Green": GREEN})
    photograph(tmp_path / "Red" / "more" / "a.png", RED)
    (tmp_path / "Red" / "notes.txt").write_text("x")
    (tmp_path / "Red" / ".hidden.png").write_text("x")
    (tmp_path / "readme.txt").write_text("x")
    found = labelled_pictures(tmp_path)
    assert list(found.people) == ["Green"] * 2 + ["Red"] * 3 and found.ignored == 2
    assert found.name(4) == "Red/more/a.png"
    assert set(labelled_pictures(tmp_path, least=3).people) == {"Red"}
    assert set(labelled_pictures(tmp_path, most=2).people) == {"Green"}
    with pytest.raises(LabelsError, match="at least 4 pictures"):
        labelled_pictures(tmp_path, least=4)


def test_folders_without_pictures_are_told(tmp_path: Path) -> None:
    with pytest.raises(LabelsError, match="one folder a person"):
        labelled_pictures(tmp_path)
    photograph(tmp_path / "a.png", RED)
    with pytest.raises(LabelsError, match="in nobody's folder"):
        labelled_pictures(tmp_path)
    with pytest.raises(LabelsError, match="cannot be read"):
        labelled_pictures(tmp_path / "a.png")


def test_of_several_faces_the_most_central_counts(tmp_path: Path) -> None:
    picture = read_picture(photograph(tmp_path / "both.png", RED, GREEN))
    wider = np.asarray(cv2.copyMakeBorder(picture, 0, 0, 0, 120, cv2.BORDER_CONSTANT, value=(100,) * 3), np.uint8)
    for shown, colour in ((wider, GREEN), (np.ascontiguousarray(wider[:, ::-1]), GREEN)):
        chip, quality = central_face(shown, SquareDetector())
        assert chip is not None and quality > 0
        expected = np.array(colour) - 127.5
        assert ColourEmbedder().embed([chip]).vectors[0] @ (expected / np.linalg.norm(expected)) > 0.95
    assert central_face(np.full((40, 40, 3), 100, np.uint8), SquareDetector()) == (None, 0.0)


def test_what_cannot_be_read_is_named_and_left_out(tmp_path: Path) -> None:
    painted_folder(tmp_path, 2)
    (tmp_path / "Red" / "cut.png").write_bytes((tmp_path / "Red" / "Red_0001.png").read_bytes()[:60])
    (tmp_path / "Red" / "empty.jpg").touch()
    (tmp_path / "Red" / "words.jpg").write_text("these are words")
    photograph(tmp_path / "Blue" / "nobody.png")
    told: list[tuple[int, int]] = []
    found = see(
        labelled_pictures(tmp_path), SquareDetector(), {"colours": ColourEmbedder()}, lambda *step: told.append(step)
    )
    assert [path for path, _ in found.failed] == ["Red/cut.png", "Red/empty.jpg", "Red/words.jpg"]
    assert len(found) == 13 and found.face.sum() == 12 and found.vectors["colours"].shape == (12, 3)
    assert told[-1] == (16, 16)


def test_painted_people_are_told_apart(tmp_path: Path) -> None:
    labelled = labelled_pictures(painted_folder(tmp_path, 4))
    seen_by = look_at(labelled, [painted(), painted("twice", ("colours", "grey"))])
    assert seen_by["painted"] is seen_by["twice"], "one look for all that share a detector"
    figures = measure(seen_by["painted"], ["colours"], "calibrated", ClusteringSettings(bar=0.7, found_quality=0.05))
    report = figures.as_json()
    assert report["detected"] == 1.0 and report["verification"]["accuracy"] is None
    assert report["verification"]["tar_at_far_1e-3"] is None, "240 pairs of strangers cannot support it"
    assert report["clustering"]["b3_f"] == report["clustering"]["ratio"] == 1.0
    assert figures.scores.at(0.7).tar == 1.0 and figures.scores.at(0.7).far == 0.0


def test_when_no_picture_can_be_read_that_is_said(tmp_path: Path) -> None:
    (tmp_path / "Red").mkdir()
    (tmp_path / "Red" / "a.jpg").write_text("no")
    with pytest.raises(LabelsError, match=r"none of its 1 pictures can be read; Red/a\.jpg"):
        look_at(labelled_pictures(tmp_path), [painted()])


# fusion and combinations


def test_fusion_is_the_sum_of_weighed_cosines() -> None:
    a, b = at_degrees(0, 60), at_degrees(0, 90)
    both = fused([a, b], [0.75, 0.25])
    assert float(both[0] @ both[1]) == pytest.approx(0.75 * 0.5) and np.linalg.norm(both[0]) == pytest.approx(1)
    assert (fused([a, b], [0.0, 1.0]) == b).all()


def test_combinations_are_sets_or_detector_and_embedder() -> None:
    found = combinations(Settings(models="embedded, mtcnn/dlib_resnet,embedded"))
    assert [one.name for one in found] == ["embedded", "mtcnn/dlib_resnet"]
    assert {one.detector for one in found} == {"mtcnn"} and list(found[1].embedders) == ["dlib_resnet"]
    both = combinations(Settings(models="embedded", detectors="mtcnn", tandem="union"))[0]
    assert both.name == "mtcnn/dlib_resnet"
