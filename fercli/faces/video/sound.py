"""The sound of a video, copied packet by packet beside new pictures. Nothing is decoded or encoded."""

import heapq
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fercli.core.errors import PictureError

if TYPE_CHECKING:
    from av import Packet
    from av.container import InputContainer
    from av.stream import Stream

#: What FFmpeg may open on behalf of a file: a playlist with addresses fetches nothing.
_LOCAL = {"protocol_whitelist": "file"}


def can_copy_sound() -> bool:
    """Whether PyAV is installed (the extra `sound`)."""
    return find_spec("av") is not None


def add_sound(film: Path, original: Path, start: float, seconds: float) -> None:
    """Give a silent mp4, `seconds` long, the sound of the original, if that has any.

    The film begins `start` seconds after the original's first picture. Sound before and after it is left out. Of
    several sound tracks, the one that players would choose is taken. A damaged original's sound ends where it breaks.

    Raises PictureError, with the film as it was, where the sound cannot be read or mp4 cannot hold it, and OSError
    where the file cannot be written. `film` is a temporary file (see fercli.core.files.written_whole), and so is the
    one beside it that takes its place.
    """
    import av

    try:
        source = av.open(str(original), options=_LOCAL)
    except av.FFmpegError as error:
        raise PictureError(f"its sound cannot be read ({error.strerror})") from error
    with source:
        sound = source.streams.best("audio")
        if sound is not None:
            pictures = source.streams.best("video")
            first = (pictures.start_time or 0) * (pictures.time_base or 0) if pictures else 0
            target = film.with_stem(f".sound{film.stem}")
            try:
                _merge(film, sound, _read_sound(source, sound, start + float(first), seconds), target)
                target.replace(film)
            finally:
                target.unlink(missing_ok=True)


def _read_sound(source: "InputContainer", sound: "Stream", begin: float, seconds: float) -> "Iterator[Packet[Any]]":
    """The packets between `begin` and `seconds` later, moved so that `begin` is 0."""
    import av

    try:
        for packet in source.demux(sound):
            stamp, unit = packet.dts if packet.pts is None else packet.pts, packet.time_base
            if stamp is None:  # the end
                return
            moved = stamp - round(begin / unit)
            if moved * unit >= seconds:
                return
            if moved >= 0:
                packet.pts = packet.dts = moved
                yield packet
    except av.FFmpegError:  # damaged from here on
        return


def _merge(film: Path, sound: "Stream", packets: "Iterator[Packet[Any]]", target: Path) -> None:
    """Write the film's pictures and these packets of sound in the order of their times."""
    import av

    codec = sound.codec_context.codec.canonical_name
    try:
        with av.open(str(film)) as silent, av.open(str(target), "w", format="mp4") as output:
            pictures = silent.streams.video[0]
            try:
                streams = {each.type: output.add_stream_from_template(each) for each in (pictures, sound)}
                output.start_encoding()
            except (av.FFmpegError, ValueError):
                raise PictureError(f"its sound ({codec}) cannot be copied into mp4") from None
            shown = (packet for packet in silent.demux(pictures) if packet.dts is not None)
            for packet in heapq.merge(shown, packets, key=lambda each: (each.dts or 0) * each.time_base):
                packet.stream = streams[packet.stream.type]
                output.mux(packet)
    except av.FFmpegError as error:
        raise OSError(error.errno, error.strerror) from error
