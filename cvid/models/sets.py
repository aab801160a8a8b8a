"""Which models run together: the sets, and how one is chosen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from cvid.analyse import Parts
from cvid.detectors import DETECTORS, TANDEMS, Detector
from cvid.embedders import EMBEDDERS, Embedder
from cvid.embedders.fusion import FusedEmbedder
from cvid.errors import UnknownBackend
from cvid.models.store import find, is_present, search_path, sha256_of, verified
from cvid.models.table import FAMILIES, MODELS
from cvid.registry import Registry
from cvid.sessions import providers_for
from cvid.settings import Settings


@dataclass(frozen=True)
class ModelSet:
    """Detectors and embedders that run together; the first detector gives the landmarks where it can."""

    detectors: tuple[str, ...]
    embedders: tuple[str, ...]


SETS = {
    "embedded": ModelSet(("mtcnn",), ("dlib_resnet",)),
    "light": ModelSet(("scrfd_500m",), ("mobilefacenet",)),
    "standard": ModelSet(("scrfd_10g",), ("arcface_r50",)),
    "full": ModelSet(
        ("scrfd_10g", "retinaface_r50", "mtcnn"), ("arcface_r50", "facenet512", "vggface", "inception_resnet")
    ),
    "permissive": ModelSet(("retinaface_mnet",), ("mobilefacenet",)),
}
AUTO_ORDER = ("standard", "light", "embedded")
"""The sets that `auto` tries, best first."""


@dataclass(frozen=True)
class Choice:
    """What will run, and why: printed at the start of a run and stored with it."""

    detectors: tuple[str, ...]
    embedders: tuple[str, ...]
    set_name: str  # "" where parts were named singly
    reason: str
    model_dir: str
    tandem: str = "cascade"
    fusion: str = "calibrated"
    device: str = "auto"

    def open_detector(self) -> Detector:
        """Load the detectors' weights."""
        detectors: list[Detector] = [self._open(DETECTORS, name) for name in self.detectors]
        if len(detectors) == 1:
            return detectors[0]
        together: Detector = TANDEMS.create(self.tandem, detectors=detectors)
        return together

    def open_embedder(self) -> Embedder:
        """Load the embedders' weights."""
        embedders: list[Embedder] = [self._open(EMBEDDERS, name) for name in self.embedders]
        if len(embedders) == 1:
            return embedders[0]
        return FusedEmbedder(embedders, self.fusion)

    def open(self) -> Parts:
        """Load both."""
        return Parts(self.open_detector(), self.open_embedder())

    def _open(self, registry: Registry, name: str) -> Any:
        weights = MODELS[name].weights
        if weights is None:
            return registry.create(name, device=self.device)
        path = find(name, self.model_dir)
        digest = verified(path, sha256_of(MODELS[name], path))
        return registry.create(name, name=name, path=path, weights=digest, device=self.device)


def choose(
    models: str = "auto",
    detectors: str = "",
    embedders: str = "",
    model_dir: str = "",
    tandem: str = "cascade",
    fusion: str = "calibrated",
    device: str = "auto",
) -> Choice:
    """Settle which detectors and embedders run.

    Args:
        models: a set's name, or "auto" for the best whose files are present.
        detectors: detectors by name, joined by commas, instead of the set's; likewise `embedders`.
        model_dir: folder with downloaded weights; else `CVID_MODEL_DIR`, else the user's cache.
        tandem: how several detectors work together, a name of `cvid.detectors.TANDEMS`.
        fusion: how several embedders are weighed, see `cvid.embedders.fusion`.
        device: where the networks run, see `cvid.sessions`.

    Raises:
        UnknownBackend: no such set, detector or embedder; the message lists the choices.
        ModelError: a named set lacks a file, or the device is not there; the message names it.
    """
    if models != "auto" and models not in SETS:
        raise UnknownBackend("model set", models, ["auto", *SETS])
    named_detectors = named_parts("detector", detectors, model_dir)
    named_embedders = named_parts("embedder", embedders, model_dir)
    if named_detectors and named_embedders:
        name, reason = "", "parts named singly"
    else:
        name, reason = (models, "asked for") if models != "auto" else _best_present(model_dir)
    parts = SETS[name] if name else ModelSet((), ())
    singly = bool(named_detectors or named_embedders)
    choice = Choice(
        named_detectors or parts.detectors,
        named_embedders or parts.embedders,
        "" if singly else name,
        "parts named singly" if singly else reason,
        model_dir,
        tandem,
        fusion,
        device,
    )
    providers_for(device)
    for part in choice.detectors + choice.embedders:
        if MODELS[part].weights:
            find(part, model_dir)
    return choice


def choose_for(settings: Settings, **instead: str) -> Choice:
    """`choose` with what the settings say; `instead` are arguments of `choose` that win over them."""
    asked = {
        "models": settings.models,
        "detectors": settings.detectors,
        "embedders": settings.embedders,
        "model_dir": settings.model_dir,
        "tandem": settings.tandem,
        "fusion": settings.fusion,
        "device": settings.device,
    }
    return choose(**asked | instead)


def choose_detector(named: str, settings: Settings) -> Detector:
    """Load detectors by name, joined by commas, and nothing else; how they work together is what the settings say.

    Raises:
        UnknownBackend: there is none of a name.
        ModelError: a file is not here; the message names it.
    """
    names = named_parts("detector", named, settings.model_dir)
    reason = "named singly"
    return Choice(names, (), "", reason, settings.model_dir, settings.tandem, device=settings.device).open_detector()


def missing(set_name: str, model_dir: str = "") -> list[str]:
    """The files that a set would need and that are not here."""
    parts = SETS[set_name]
    absent = (MODELS[part].weights for part in parts.detectors + parts.embedders if not is_present(part, model_dir))
    return [weights.file for weights in absent if weights]


def named_parts(kind: str, named: str, model_dir: str) -> tuple[str, ...]:
    """Models by name, joined by commas; a family's name stands for the first that is here. Without repetition.

    Args:
        kind: "detector" or "embedder".

    Raises:
        UnknownBackend: there is none of that kind and name.
    """
    chosen: dict[str, None] = {}
    for name in filter(None, (part.strip().lower() for part in named.split(","))):
        members: Sequence[str] = FAMILIES.get(name, (name,))
        of_kind = [member for member in members if member in MODELS and MODELS[member].kind == kind]
        if not of_kind:
            families = [family for family, inner in FAMILIES.items() if MODELS[inner[0]].kind == kind]
            raise UnknownBackend(kind, name, [m.name for m in MODELS.values() if m.kind == kind] + families)
        chosen[next((member for member in of_kind if is_present(member, model_dir)), of_kind[0])] = None
    return tuple(chosen)


def _best_present(model_dir: str) -> tuple[str, str]:
    lacking: list[str] = []
    for name in AUTO_ORDER:
        absent = missing(name, model_dir)
        if not absent:
            return name, "the best set whose files are present" + (f"; {'; '.join(lacking)}" if lacking else "")
        lacking.append(f"'{name}' would be better and needs {', '.join(absent)} in {search_path(model_dir)[0]}")
    raise AssertionError("the embedded set needs no file")
