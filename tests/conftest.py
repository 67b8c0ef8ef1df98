"""What every test stands on: no test reads or writes the caches and settings of whoever runs it. And videos, and a
made CK+."""

import io
import os
import subprocess
import sys
import tarfile
from collections.abc import Callable, Iterator, Mapping
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from fercli.core.progress import Progress

#: The folders of CK+48 and how many sequences each has; the set holds three frames of each, 981 in all.
CK_PLUS = {"anger": 45, "contempt": 18, "disgust": 59, "fear": 25, "happy": 69, "sadness": 28, "surprise": 83}


def pytest_configure() -> None:
    """Test processes side by side (`-n`) share the cores: one thread each, and one for what they start."""
    if "PYTEST_XDIST_WORKER" in os.environ:
        os.environ.setdefault("OMP_NUM_THREADS", "1")


@pytest.fixture(autouse=True)
def _own_surroundings(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    """A cache of the tests' own, and the catalogue of this checkout."""
    cache: Path = tmp_path_factory.getbasetemp() / "cache"
    monkeypatch.setenv("FER_CACHE", str(cache))
    monkeypatch.delenv("FER_CATALOGUE", raising=False)


class Videos:
    """Small videos of gray frames that are told apart: six fields along the lower edge, black or white, are the
    frame's number in binary."""

    @staticmethod
    def frame(number: int, size: tuple[int, int] = (64, 48)) -> NDArray[np.uint8]:
        """The frame of that number, 0 to 63, as pixels [H, W, 3] of this width and height."""
        frame = np.full((size[1], size[0], 3), 90, np.uint8)
        fields = np.array([255 * (number >> bit & 1) for bit in range(6)], np.uint8)
        frame[-(size[1] // 6) :] = fields[np.arange(size[0]) * 6 // size[0], None]
        return frame

    @staticmethod
    def number(pixels: NDArray[np.uint8]) -> int:
        """Which frame that is, whatever a codec did to it."""
        middles = ((np.arange(6) + 0.5) * pixels.shape[1] / 6).astype(int)
        return sum((pixels[-4:, x].mean() > 128) << bit for bit, x in enumerate(middles))

    @classmethod
    def write(cls, path: Path, frames: int = 40, rate: float = 10.0, encoder: str = "mp4v") -> Path:
        """A video of the frames 0, 1, 2 …, 64 × 48."""
        import cv2

        writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*encoder), rate, (64, 48))
        assert writer.isOpened()
        for number in range(frames):
            writer.write(cls.frame(number))
        writer.release()
        return path

    @classmethod
    def write_with_beep(
        cls, path: Path, codec: str = "aac", at: float = 2.0, late: float = 0.0, seconds: float = 4.0
    ) -> Path:
        """A video of the frames 0, 1, 2 …, 10 a second, with a beep `at` seconds after the first of them. The pictures
        begin `late` seconds after the sound. Needs PyAV."""
        import av

        with av.open(str(path), "w") as film:
            video = film.add_stream("mpeg4", rate=10)
            video.width, video.height = 64, 48
            audio = film.add_stream(codec, rate=16000, layout="mono")
            packets = []
            for number in range(round(10 * seconds)):
                frame = av.VideoFrame.from_ndarray(cls.frame(number))
                frame.pts, frame.time_base = number + round(10 * late), Fraction(1, 10)
                packets += video.encode(frame)
            times = np.arange(round(16000 * (seconds + late))) / 16000 - late
            beep = np.where((times >= at) & (times < at + 0.3), 20000 * np.sin(2 * np.pi * 500 * times), 0)
            sound = av.AudioFrame.from_ndarray(beep.astype(np.int16)[None], format="s16", layout="mono")
            sound.sample_rate, sound.pts, sound.time_base = 16000, 0, Fraction(1, 16000)
            packets += [*video.encode(None), *audio.encode(sound), *audio.encode(None)]
            film.mux(sorted(packets, key=lambda packet: (packet.dts or 0) * packet.time_base))
        return path

    @staticmethod
    def find_beep(path: Path) -> float:
        """When a video's sound becomes loud, in seconds after its first picture. Needs PyAV."""
        import av

        with av.open(str(path)) as film:
            pictures = film.streams.video[0]
            first = float((pictures.start_time or 0) * pictures.time_base)
            for frame in film.decode(audio=0):
                wave = frame.to_ndarray()[0] / (32768 if frame.format.name.startswith("s16") else 1)
                if (loud := np.flatnonzero(np.abs(wave) > 0.2)).size:
                    return float(frame.time) + loud[0] / frame.sample_rate - first
        raise AssertionError("no beep")

    @classmethod
    def numbers(cls, path: Path) -> list[int]:
        """The frames of a video, one after another."""
        import cv2

        capture, numbers = cv2.VideoCapture(str(path)), []
        while (read := capture.read())[0]:
            numbers.append(cls.number(read[1]))
        capture.release()
        return numbers


@pytest.fixture(scope="session")
def videos() -> type[Videos]:
    """Writes small videos and reads them back."""
    return Videos


@pytest.fixture(scope="session")
def crossing(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A video of 40 frames, 10 a second, 320 × 240: a portrait goes to the right, in front of its mirror image,
    which goes to the left and comes closer."""
    import cv2
    from matplotlib.cbook import get_sample_data

    portrait = cv2.imread(get_sample_data("grace_hopper.jpg", asfileobj=False))
    head = cv2.resize(portrait[30:330, 130:400], (108, 120), interpolation=cv2.INTER_AREA)
    path: Path = tmp_path_factory.mktemp("videos") / "crossing.mp4"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"mp4v"), 10.0, (320, 240))
    for step in np.linspace(0, 1, 40):
        frame = np.full((240, 320, 3), 150, np.uint8)
        _paste(frame, head[:, ::-1], 205 - 190 * step, 60, 0.85 + 0.25 * step)
        _paste(frame, head, 10 + 195 * step, 70, 1.0)
        writer.write(frame)
    writer.release()
    return path


def _paste(frame: NDArray[np.uint8], head: NDArray[np.uint8], left: float, top: float, scale: float) -> None:
    """Draw the oval in a head's picture into a frame, its corner at these pixels, fractions included."""
    import cv2

    height, width = head.shape[:2]
    mask = cv2.ellipse(
        np.zeros((height, width), np.uint8),
        (width // 2, height // 2),
        (width // 2 - 2, height // 2 - 2),
        0,
        0,
        360,
        255,
        -1,
    )
    move = np.array([[scale, 0, left], [0, scale, top]])
    size = (frame.shape[1], frame.shape[0])
    share = cv2.warpAffine(mask, move, size)[..., None] / 255
    frame[:] = frame * (1 - share) + cv2.warpAffine(head, move, size) * share


@pytest.fixture(scope="session")
def write_ck_plus() -> Callable[..., Path]:
    """Writes a made set of CK+48's shape: 48×48 pictures at anger/S010_001_00000017.png and so on, in a folder a class,
    three frames a sequence that differ by noise alone, one expression a sequence, and none twice of one person."""

    def write(folder: Path, subjects: int = 118, sequences: Mapping[str, int] = CK_PLUS) -> Path:
        random = np.random.default_rng(0)
        people = random.uniform(40, 160, (subjects, 6, 6))
        taken = [0] * subjects
        shown = [label for label, count in sequences.items() for _ in range(count)]
        expressions = {label: random.uniform(0, 60, (6, 6)) for label in sequences}
        for number, label in enumerate(shown):
            subject = number % subjects
            taken[subject] += 1
            face = np.kron(people[subject] + expressions[label], np.ones((8, 8)))
            (folder / label).mkdir(parents=True, exist_ok=True)
            for frame in range(3):
                pixels = face + random.normal(0, 3, face.shape)
                name = f"S{10 + subject:03}_{taken[subject]:03}_{12 + number % 9 + frame:08}.png"
                Image.fromarray(pixels.clip(0, 255).astype(np.uint8)).save(folder / label / name)
        return folder

    return write


@pytest.fixture(scope="session")
def png() -> Callable[[int], bytes]:
    """Makes a PNG of 48×48 pixels of noise, another for each number."""

    def make(number: int) -> bytes:
        buffer = io.BytesIO()
        Image.fromarray(np.random.default_rng(number).integers(0, 255, (48, 48), np.uint8)).save(buffer, "png")
        return buffer.getvalue()

    return make


#: An S3 server that says its port, and refuses to hand out what is called so.
_S3_SERVER = """
import time
from moto.s3.exceptions import S3AccessDeniedError
from moto.s3.responses import S3Response
from moto.server import ThreadedMotoServer

given = S3Response._key_response_get

def respond(self, query, key_name):
    if key_name.endswith("denied.png"):
        raise S3AccessDeniedError
    return given(self, query, key_name)

S3Response._key_response_get = respond
server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
server.start()
print(server.get_host_and_port()[1], flush=True)
time.sleep(3600)
"""


@pytest.fixture
def bucket(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """An S3 server in a process of its own with a bucket, found as boto finds any. Objects whose names end in
    'denied.png' cannot be read."""
    pytest.importorskip("moto.server", reason="needs moto's server")
    pytest.importorskip("s3fs", reason="needs the extra remote")
    server = subprocess.Popen(
        [sys.executable, "-c", _S3_SERVER], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    assert server.stdout is not None
    port = server.stdout.readline().strip()
    for name, value in {
        "AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}", "AWS_ACCESS_KEY_ID": "key",
        "AWS_SECRET_ACCESS_KEY": "hidden-secret",
        "AWS_DEFAULT_REGION": "us-east-1", "AWS_CONFIG_FILE": "/dev/null", "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
        "NO_PROXY": "127.0.0.1",
    }.items():  # fmt: skip
        monkeypatch.setenv(name, value)
    import fsspec

    store = fsspec.filesystem("s3", skip_instance_cache=True)
    store.mkdir("bucket")
    yield store
    type(store).clear_instance_cache()  # the next server has another port
    server.kill()
    server.wait()
    server.stdout.close()


@pytest.fixture(scope="session")
def tar_of() -> Callable[..., bytes]:
    """Makes a tar archive of contents by their names."""

    def make(contents: Mapping[str, bytes], mode: str = "w") -> bytes:
        buffer = io.BytesIO()
        with tarfile.open(fileobj=buffer, mode=mode) as archive:  # type: ignore[call-overload]
            for name, content in contents.items():
                entry = tarfile.TarInfo(name)
                entry.size = len(content)
                archive.addfile(entry, io.BytesIO(content))
        return buffer.getvalue()

    return make


class _NodeRemover(Progress):
    """Removes a node of a cluster, without a word to it, as soon as a task is done."""

    def __init__(self, cluster: Any) -> None:
        self._cluster, self.removed = cluster, False

    def update(self, done: float, total: float, what: str) -> None:
        if done and not self.removed:
            self.removed = True
            self._cluster.remove_node(self._cluster.worker_nodes.copy().pop(), allow_graceful=False)


@pytest.fixture(scope="session")
def node_remover() -> type[_NodeRemover]:
    """Takes a node away from a job in its middle: the progress that a job is given."""
    return _NodeRemover


@pytest.fixture(scope="session")
def start_cluster() -> Callable[[], Any]:
    """Starts a Ray cluster of this machine: a head without processors, and two nodes with one each."""

    def start() -> Any:
        os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
        cluster_utils = pytest.importorskip("ray.cluster_utils", reason="needs Ray")
        # a node that is gone is noticed in five seconds, not in thirty
        quick = {
            "health_check_initial_delay_ms": 0,
            "health_check_period_ms": 500,
            "health_check_failure_threshold": 10,
        }
        head = {"num_cpus": 0, "include_dashboard": False, "_system_config": quick}
        cluster = cluster_utils.Cluster(initialize_head=True, head_node_args=head)
        for _ in range(2):
            cluster.add_node(num_cpus=1)
        cluster.wait_for_nodes()
        return cluster

    return start
