"""Which files claim to be footage: suffixes, containers and the first bytes of videos and photographs."""

from __future__ import annotations

from cvid.errors import VideoError
from cvid.places import Place

VIDEO_SUFFIXES = frozenset(
    ".264 .265 .3g2 .3gp .asf .avi .divx .dv .f4v .flv .gif .h264 .h265 .hevc .ivf .m2ts .m2v .m4v .mkv .mod .mov .mp4"
    " .mpeg .mpg .mts .mxf .ogv .qt .rm .rmvb .ts .vob .webm .wmv .y4m".split()
)
PICTURE_SUFFIXES = frozenset(".avif .bmp .heic .heif .jfif .jpe .jpeg .jpg .jp2 .png .tif .tiff .webp".split())

CONTAINERS = ",".join(
    "asf av1 avi dv flv gif h264 hevc ivf live_flv m4v matroska mjpeg mov mpeg mpegts mpegvideo mxf nut obu ogg rm vc1"
    " webm wtv yuv4mpegpipe".split()
)
"""Containers that may hold footage. All else that FFmpeg knows (playlists, subtitles, text as pictures) is refused."""

_MAGIC = (
    (0, b"\xff\xd8\xff"), (0, b"\x89PNG\r\n\x1a\n"), (0, b"II*\0"), (0, b"MM\0*"), (0, b"GIF8"),
    (4, b"ftyp"), (4, b"moov"), (4, b"mdat"), (0, b"\x1aE\xdf\xa3"), (8, b"AVI "), (8, b"WEBP"), (0, b"FLV\x01"),
    (0, b"OggS"), (0, b"\0\0\x01\xba"), (0, b"\0\0\x01\xb3"), (0, b"0&\xb2u\x8ef\xcf\x11"), (0, b".RMF"),
    (0, b"\x06\x0e+4\x02\x05\x01\x01"), (0, b"YUV4MPEG2"), (0, b"DKIF"), (4, b"jP  \r\n\x87\n"),
)  # fmt: skip
_PICTURE_MAGIC = (
    (0, b"\xff\xd8\xff"), (0, b"\x89PNG\r\n\x1a\n"), (0, b"II*\0"), (0, b"MM\0*"), (8, b"WEBP"), (0, b"BM"),
    (4, b"jP  \r\n\x87\n"),
)  # fmt: skip
_STILL_MAGIC = tuple((4, b"ftyp" + brand) for brand in (b"avif", b"heic", b"heix", b"heim", b"heis", b"mif1"))
"""Photographs in the containers and codecs of videos."""


def looks_like_media(path: Place) -> bool:
    """Does the name or the header claim that this is a video or a picture?

    What claims it and cannot be decoded has failed; anything else is merely not footage.
    """
    if path.suffix.lower() in VIDEO_SUFFIXES | PICTURE_SUFFIXES:
        return True
    head = head_of(path)
    return _matches(head, _MAGIC) or (len(head) > 376 and head[0] == head[188] == head[376] == 0x47)


def is_photograph(head: bytes) -> bool:
    """Do a file's first bytes belong to a photograph?"""
    return _matches(head, _PICTURE_MAGIC + _STILL_MAGIC)


def is_coded_photograph(head: bytes) -> bool:
    """Do they belong to one in the container and codec of a video?"""
    return _matches(head, _STILL_MAGIC)


def head_of(path: Place) -> bytes:
    """The first bytes of a file, at most 512.

    Raises:
        VideoError: it cannot be read.
    """
    try:
        with path.open("rb") as file:
            return file.read(512)
    except OSError as exc:
        raise VideoError(path, exc.strerror or "it cannot be read") from exc


def _matches(head: bytes, magic: tuple[tuple[int, bytes], ...]) -> bool:
    return any(head[at : at + len(mark)] == mark for at, mark in magic)
