"""Calibrations: what is fitted, to whom, what is kept, and how it is found again."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from labelled import noisy, seen

from archive.calibrations import keep_calibration
from cvid.calibration import SHIPPED, Calibration, calibration_of, fit, own_file
from cvid.clustering.bars import bar_for, bar_of
from cvid.errors import LabelsError, ModelError
from cvid.evaluation import calibrating
from cvid.evaluation.calibrating import calibrate, check_enough, draw_pairs, first_half
from cvid.evaluation.figures import material_of
from cvid.settings import ClusteringSettings

MADE = Calibration(((-2.0, 0.3), (-3.0, 0.4)), (3.0, 1.0), -2.0)


@pytest.fixture(autouse=True)
def own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))


# fitting


def test_a_fit_recovers_known_slopes() -> None:
    random = np.random.default_rng(0)
    cosines = random.uniform(-0.5, 1.0, (200_000, 2))
    chance = 1 / (1 + np.exp(-(8 * cosines[:, 0] + 2 * cosines[:, 1] - 2.5)))
    same = random.random(200_000) < chance
    found = fit(cosines.astype(np.float32), same)
    assert found.slopes == pytest.approx((8, 2), rel=0.05)
    prior = np.log(same.mean() / (1 - same.mean()))  # the bias is that of equally frequent kinds
    assert found.bias == pytest.approx(-2.5 - prior, abs=0.15)
    assert found.weights == pytest.approx((0.8, 0.2), abs=0.01)


def test_a_model_that_knows_nothing_gets_no_weight() -> None:
    random = np.random.default_rng(1)
    same = np.arange(4000) % 2 == 0
    useful = np.where(same, 0.6, 0.1) + 0.15 * random.normal(size=4000)
    misleading = np.where(same, 0.1, 0.3) + 0.15 * random.normal(size=4000)
    found = fit(np.column_stack([useful, misleading]).astype(np.float32), same)
    assert found.weights == (1.0, 0.0)


def test_too_few_pairs_and_useless_models_are_refused() -> None:
    same = np.arange(400) % 2 == 0
    with pytest.raises(ModelError, match="too few labelled pairs"):
        fit(np.zeros((50, 1), np.float32), same[:50])
    with pytest.raises(ModelError, match="no model tells these people apart"):
        fit(np.where(same, -0.5, 0.5).astype(np.float32)[:, None], same)


# drawing


def test_pairs_are_drawn_the_same_and_balanced_by_person() -> None:
    people = np.repeat(np.arange(30), [200] + [4] * 29)
    pairs, same = draw_pairs(people)
    again, _ = draw_pairs(people)
    assert (pairs == again).all() and len(np.unique(pairs, axis=0)) == len(pairs)
    assert (pairs[:, 0] < pairs[:, 1]).all() and (same == (people[pairs[:, 0]] == people[pairs[:, 1]])).all()
    own = np.bincount(people[pairs[same, 0]])
    assert own[0] == 10 and set(own[1:]) == {6}, "19,900 pairs of one person count no more than a few others"
    strangers = np.bincount(people[pairs[~same].ravel()], minlength=30)
    assert strangers[0] < 2.5 * strangers[1:].mean()
    assert len(draw_pairs(np.zeros(1, np.int64))[0]) == 0


def test_halves_share_nobody_and_are_as_large() -> None:
    people = np.repeat(np.arange(41), np.arange(41) % 7 + 1)
    half = first_half(people)
    assert not set(people[half]) & set(people[~half])
    assert abs(len(set(people[half])) - len(set(people[~half]))) <= 1
    assert abs(int(half.sum()) - int((~half).sum())) <= 12
    assert (half == first_half(people)).all()


def test_too_few_people_are_told() -> None:
    with pytest.raises(LabelsError, match="twenty people"):
        check_enough(np.repeat(np.arange(8), 2))
    check_enough(np.repeat(np.arange(24), 4))


# held out


def test_figures_are_of_people_who_were_not_fitted_to(monkeypatch: pytest.MonkeyPatch) -> None:
    people = [person for person in range(40) for _ in range(4)]
    fitted_to: list[set[int]] = []
    measured_on: list[set[int]] = []
    whole, measured = calibrating.fitted, calibrating._measured

    def spy_fitted(material: calibrating.Material):  # type: ignore[no-untyped-def]
        fitted_to.append(set(material.people.tolist()))
        return whole(material)

    def spy_measured(way, calibration, test, settings):  # type: ignore[no-untyped-def]
        measured_on.append(set(test.people.tolist()))
        return measured(way, calibration, test, settings)

    monkeypatch.setattr(calibrating, "fitted", spy_fitted)
    monkeypatch.setattr(calibrating, "_measured", spy_measured)
    vectors = {"a": noisy(people, 0.5, 1), "b": noisy(people, 1.0, 2)}
    found = calibrate(material_of(seen(people, vectors), ["a", "b"]), ClusteringSettings())
    assert [held.way for held in found.held_out] == ["calibrated", "equal weights", "a alone", "b alone"]
    first, second, everybody = fitted_to
    assert everybody == set(range(40)) and first | second == everybody and not first & second
    assert measured_on == [second] * 4 + [first] * 4


def test_the_better_model_weighs_more_and_fusion_is_compared() -> None:
    people = [person for person in range(60) for _ in range(5)]
    vectors = {"sharp": noisy(people, 0.6, 1), "dull": noisy(people, 1.2, 2)}
    face = [row % 50 != 0 for row in range(300)]
    vectors = {name: v[face] for name, v in vectors.items()}
    found = calibrate(material_of(seen(people, vectors, face), ["sharp", "dull"]), ClusteringSettings())
    own, equal, sharp, dull = found.held_out
    assert found.calibration.weights[0] > 0.6
    assert (own.tar[1e-2] or 0) >= (equal.tar[1e-2] or 0) - 0.02 and (own.tar[1e-2] or 0) > (dull.tar[1e-2] or 0)
    assert sharp.b3_f > dull.b3_f
    assert own.tar[1e-4] is None
    assert len(found.calibration.tail) >= 2


def test_a_single_model_keeps_what_only_footage_can_tell() -> None:
    people = [person for person in range(40) for _ in range(4)]
    found = calibrate(material_of(seen(people, {"dlib_resnet": noisy(people, 0.6, 1)}), ["dlib_resnet"]),
                      ClusteringSettings())  # fmt: skip
    shipped = SHIPPED["dlib_resnet"]
    assert (found.calibration.false_links, found.calibration.cohesion) == (shipped.false_links, shipped.cohesion)
    assert [held.way for held in found.held_out] == ["calibrated", "as before"]


# keeping


def test_a_users_own_calibration_wins_and_others_stay() -> None:
    assert calibration_of("x+y") is None
    path = keep_calibration("x+y", MADE)
    assert path == own_file() and calibration_of("x+y") == MADE
    keep_calibration("mobilefacenet", replace(SHIPPED["mobilefacenet"], slopes=(5.0,)))
    own = calibration_of("mobilefacenet")
    assert own and own.slopes == (5.0,) and calibration_of("x+y") == MADE
    assert calibration_of("dlib_resnet") is SHIPPED["dlib_resnet"]


def test_the_order_of_the_models_does_not_matter() -> None:
    keep_calibration("x+y", MADE)
    turned = calibration_of("y+x")
    assert turned and turned.slopes == (1.0, 3.0) and turned.bias == MADE.bias
    keep_calibration("y+x", replace(MADE, slopes=(4.0, 4.0)))
    assert list(json.loads(own_file().read_text())["calibrations"]) == ["y+x"]


@pytest.mark.parametrize(
    "content",
    [
        "no json",
        "[]",
        '{"calibrations": {"x": {}}}',
        '{"calibrations": {"x": {"tail": [[-2, 0.3], [-3, 0.4]], "slopes": [1, 2], "bias": 0}}}',
        '{"calibrations": {"x": {"tail": [[-2, 0.3], [-3, NaN]], "slopes": [1], "bias": 0}}}',
        '{"calibrations": {"x": {"tail": [[-2, 0.3], [-3, 0.4]], "slopes": [0], "bias": 0}}}',
    ],
)
def test_a_damaged_file_is_named_with_the_remedy(content: str) -> None:
    own_file().parent.mkdir(parents=True)
    own_file().write_text(content)
    with pytest.raises(ModelError, match=r"calibrations\.json: not a file of calibrations; remove it"):
        calibration_of("x")


def test_a_file_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "config").write_text("in the way")
    with pytest.raises(ModelError, match=r"cannot be (kept|read)"):
        keep_calibration("x", replace(MADE, slopes=(1.0,)))


def test_the_bar_of_a_combination_comes_from_its_own_tail() -> None:
    keep_calibration("x+y", MADE)
    settings = ClusteringSettings(false_links=0.1)
    assert bar_for("x+y:0123", 100, settings) == pytest.approx(0.4) == bar_of(MADE, 100, settings)


@pytest.mark.parametrize("models", SHIPPED)
def test_what_ships_is_whole(models: str) -> None:
    shipped = SHIPPED[models]
    fars, cosines = zip(*shipped.tail, strict=True)
    assert len(shipped.slopes) == len(models.split("+")) and sum(shipped.weights) == pytest.approx(1)
    assert sorted(fars, reverse=True) == list(fars) and sorted(cosines) == list(cosines)
    assert shipped.bias < 0


def test_what_was_not_measured_says_so() -> None:
    from cvid.calibration import lacking

    assert lacking("mobilefacenet") == lacking("dlib_resnet+mobilefacenet") == ""
    assert "arcface_r50" in lacking("arcface_r50") and "weighed" not in lacking("arcface_r50")
    assert "weighed alike" in lacking("arcface_r50+facenet512") and "--calibrate" in lacking("arcface_r50+facenet512")
