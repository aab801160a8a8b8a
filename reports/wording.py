"""Numbers and times as people read them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from archive.records import Moment
from reports.names import printable


def clock(time_s: float) -> str:
    """A place in a video: `0:07`, `12:30`, `1:02:03`."""
    minutes, seconds = divmod(int(time_s), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"


def span(seconds: float, decimals: int = 1) -> str:
    """A length of time: `4.2 s`, `3 min 5 s`, `2 h 10 min`."""
    if seconds < 59.95:
        return f"{seconds:.{decimals}f} s"
    whole = round(seconds)
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


def moment(place: Moment) -> str:
    """A moment of the footage, as `0:07 clip.mp4`; empty where there is none."""
    return f"{clock(place.time_s)} {printable(place.video)}" if place.video else ""


def count(number: int, one: str, many: str = "") -> str:
    """A number with its noun: `1 video`, `2 videos`."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def models_used(models: Mapping[str, str], providers: Sequence[str] = ()) -> str:
    """The networks of a run or an archive, where they ran, and why: `mtcnn:3f… + … on … (set light, asked for)`."""
    text = " + ".join(models[part] for part in ("detector", "embedder") if models.get(part)) or "none yet"
    text += f" on {', '.join(providers)}" if providers else ""
    why = [f"set {models['set']}"] if models.get("set") else []
    why += [models["reason"]] if models.get("reason") else []
    return printable(text + (f" ({', '.join(why)})" if why else ""))


def size(number_bytes: int) -> str:
    """A size on the disk: `812 kB`, `3.4 MB`."""
    value, unit = float(number_bytes), "B"
    for unit in ("B", "kB", "MB", "GB", "TB"):
        if value < 1000 or unit == "TB":
            break
        value /= 1000
    return f"{value:.0f} {unit}" if unit in ("B", "kB") else f"{value:.1f} {unit}"
