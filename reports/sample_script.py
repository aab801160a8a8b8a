"""The screenplay of the sample archive: which photographs are filmed, by which camera moves, in which light.

The faces come from pictures inside installed packages. Boxes and views are px of those pictures and were checked by
eye: in every view a face is either wholly inside or wholly outside. Nobody is named; the labels only tell people apart.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

Box = tuple[float, float, float, float]
"""x1, y1, x2, y2 in px."""


@dataclass(frozen=True)
class Source:
    """A picture inside an installed package, and the faces in it: person → box."""

    package: str
    file: str
    install: str  # what pip calls the package
    faces: dict[str, Box]


SOURCES = {
    "astronaut": Source("skimage", "data/astronaut.png", "scikit-image", {"astronaut": (180, 75, 272, 190)}),
    "admiral": Source(
        "matplotlib", "mpl-data/sample_data/grace_hopper.jpg", "matplotlib", {"admiral": (172, 140, 365, 325)}
    ),
    "actor": Source("insightface", "data/images/Tom_Hanks_54745.png", "insightface", {"actor": (18, 15, 88, 106)}),
    "table": Source(
        "insightface",
        "data/images/t1.jpg",
        "insightface",
        {
            "player-1": (65, 265, 170, 398),
            "player-2": (268, 140, 380, 265),
            "player-3": (465, 275, 585, 412),
            "player-4": (748, 335, 862, 480),
            "player-5": (1130, 265, 1228, 400),
        },
    ),
    "rocket": Source("skimage", "data/rocket.jpg", "scikit-image", {}),
    "coffee": Source("skimage", "data/coffee.png", "scikit-image", {}),
}


@dataclass(frozen=True)
class View:
    """Where the camera looks: centre and width in px of the source, and how far it is tilted."""

    x: float
    y: float
    width: float
    tilt_deg: float = 0.0


@dataclass(frozen=True)
class Tile:
    """One camera on one photograph, travelling from `start` to `end`, shown in a part of the screen."""

    source: str
    start: View
    end: View
    screen: tuple[int, int, int, int] = (0, 0, 640, 360)  # left, top, width, height
    mirror: bool = False
    shake_px: float = 0.0  # an unsteady hand, in px of the screen


@dataclass(frozen=True)
class Look:
    """What light, lens and recording do to a shot."""

    gain: float = 1.0
    gamma: float = 1.0
    blur_px: float = 0.0
    grain: float = 2.0
    grey: bool = False
    warm: float = 0.0  # −1..1, towards blue or amber
    jpeg: int = 0  # quality of a recompression; 0: none


@dataclass(frozen=True)
class Shot:
    """A stretch without a cut."""

    seconds: float
    tiles: tuple[Tile, ...] = ()
    look: Look = Look()


def _still(source: str, view: View, **more: object) -> Tile:
    return replace(Tile(source, view, view), **more)  # type: ignore[arg-type]


LEFT, RIGHT = (0, 0, 320, 360), (320, 0, 320, 360)
"""The two halves of a video call."""

VIDEOS: dict[str, tuple[Shot, ...]] = {
    "briefing.mp4": (
        Shot(2.8, (Tile("astronaut", View(205, 150, 400), View(285, 165, 440)),)),
        Shot(1.6, (Tile("rocket", View(300, 200, 420), View(340, 215, 420)),)),
        Shot(2.8, (Tile("admiral", View(256, 240, 510), View(262, 236, 430)),)),
    ),
    "card table.mp4": (
        Shot(3.0, (Tile("table", View(350, 285, 690), View(356, 287, 660)),)),
        Shot(3.0, (Tile("table", View(936, 418, 650), View(930, 416, 620)),), Look(gain=0.95)),
    ),
    "video call.mp4": (
        Shot(
            2.6,
            (
                _still("astronaut", View(226, 150, 240, 3), screen=LEFT, mirror=True),
                Tile("table", View(520, 350, 210), View(520, 346, 205), screen=RIGHT),
            ),
            Look(jpeg=45),
        ),
        Shot(
            2.6,
            (
                Tile("table", View(806, 400, 200, -4), View(800, 402, 206, -2), screen=LEFT, mirror=True),
                _still("admiral", View(265, 250, 400), screen=RIGHT),
            ),
            Look(jpeg=55, gain=0.9),
        ),
    ),
    "night.mp4": (
        Shot(2.4, (Tile("table", View(1170, 330, 300), View(1165, 330, 280)),), Look(gain=0.42, gamma=1.1, grain=4)),
        Shot(2.0, (Tile("coffee", View(300, 200, 380), View(260, 200, 380)),), Look(gain=0.03, grain=0.5)),
        Shot(2.4, (_still("table", View(530, 345, 330), mirror=True),), Look(warm=0.6, gain=0.85)),
    ),
    "phone/clip one [raw].mp4": (
        Shot(
            2.6,
            (Tile("table", View(800, 395, 330), View(810, 392, 300), mirror=True, shake_px=3),),
            Look(blur_px=0.8, grain=4),
        ),
        Shot(2.2, (Tile("actor", View(56, 60, 200), View(56, 58, 180), shake_px=2),)),
    ),
    "terrace.mp4": (
        Shot(
            2.8,
            (
                Tile("table", View(135, 335, 190), View(130, 335, 184), screen=LEFT),
                Tile("table", View(528, 345, 240, 4), View(524, 345, 232, 2), screen=RIGHT, mirror=True),
            ),
            Look(warm=-0.4),
        ),
        Shot(2.4, (Tile("table", View(318, 190, 250, 3), View(318, 188, 240, -2), mirror=True),), Look(gain=1.12)),
    ),
    "empty rooms.mp4": (
        Shot(2.4, (Tile("coffee", View(300, 200, 400), View(340, 210, 380)),)),
        Shot(2.0, (_still("rocket", View(300, 190, 500)),)),
    ),
    "old reel.mp4": (
        Shot(
            2.4,
            (Tile("admiral", View(262, 245, 470, -5), View(262, 240, 440, -3), mirror=True),),
            Look(grey=True, grain=7),
        ),
        Shot(2.2, (_still("table", View(1172, 335, 280, 5), mirror=True),), Look(grey=True, grain=7, gain=1.05)),
        Shot(
            2.4, (Tile("astronaut", View(226, 140, 320), View(226, 138, 280)),), Look(grey=True, grain=7, blur_px=0.6)
        ),
    ),
}

PHOTOGRAPHS: dict[str, Shot] = {
    "photos/portrait.jpg": Shot(0.0, (_still("admiral", View(258, 240, 500, 2)),), Look(warm=0.3)),
}

SIDECARS = {
    "notes.txt": "Sample footage of cvid: photographs filmed by a synthetic camera. Not footage itself; ignored.\n"
}
