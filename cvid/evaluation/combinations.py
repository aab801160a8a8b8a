"""Which combinations of models are compared, and one look at the pictures for all that share a detector."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from cvid.detectors import Detector
from cvid.embedders import Embedder
from cvid.errors import LabelsError
from cvid.evaluation.pictures import Labelled
from cvid.evaluation.stills import Seen, see
from cvid.models.sets import Choice, choose
from cvid.settings import Settings

Hook = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Combination:
    """Detectors and embedders under a name, not yet loaded; embedders are loaded one by one."""

    name: str
    detector: str  # names joined by "+", and how they work together
    embedders: Sequence[str]
    fusion: str
    open_detector: Callable[[], Detector]
    open_embedder: Callable[[str], Embedder]

    @classmethod
    def of(cls, name: str, choice: Choice) -> Combination:
        """A choice of models under a name."""
        tandem = f" ({choice.tandem})" if len(choice.detectors) > 1 else ""
        return cls(
            name,
            "+".join(choice.detectors) + tandem,
            choice.embedders,
            choice.fusion,
            choice.open_detector,
            lambda embedder: replace(choice, embedders=(embedder,)).open_embedder(),
        )


def combinations(settings: Settings) -> list[Combination]:
    """The combinations that the settings name.

    `models` may name several, joined by commas: sets, or DETECTOR/EMBEDDER, with "+" between several of a kind.
    `detectors` and `embedders` stand in for those of every set.

    Raises:
        UnknownBackend, ModelError: as `cvid.models.sets.choose`.
    """
    found: dict[str, Combination] = {}
    for name in [part.strip() for part in settings.models.split(",") if part.strip()] or ["auto"]:
        detectors, slash, embedders = name.partition("/")
        choice = choose(
            "auto" if slash else name,
            detectors=detectors.replace("+", ",") if slash else settings.detectors,
            embedders=embedders.replace("+", ",") if slash else settings.embedders,
            model_dir=settings.model_dir,
            tandem=settings.tandem,
            fusion=settings.fusion,
            device=settings.device,
        )
        label = choice.set_name or f"{'+'.join(choice.detectors)}/{'+'.join(choice.embedders)}"
        found.setdefault(label, Combination.of(label, choice))
    return list(found.values())


def look_at(labelled: Labelled, compared: Sequence[Combination], hook: Hook | None = None) -> Mapping[str, Seen]:
    """What each combination sees, by name: every detector looks once, every embedder once a detector.

    Args:
        hook: told (detector, pictures done, pictures in all).

    Raises:
        LabelsError: not one of the pictures can be read.
    """
    seen: dict[str, Seen] = {}
    for detector in dict.fromkeys(one.detector for one in compared):
        sharing = [one for one in compared if one.detector == detector]
        openers = {name: one.open_embedder for one in sharing for name in one.embedders}
        embedders = {name: opener(name) for name, opener in openers.items()}
        told = (lambda done, total, d=detector: hook(d, done, total)) if hook else None
        found = see(labelled, sharing[0].open_detector(), embedders, told)
        if not len(found):
            path, reason = found.failed[0]
            raise LabelsError(
                f"{labelled.folder}: none of its {len(labelled):,} pictures can be read; {path}: {reason}"
            )
        seen |= {one.name: found for one in sharing}
    return seen
