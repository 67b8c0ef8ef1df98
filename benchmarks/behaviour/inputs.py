"""What the cases work on, made once a record: pictures, archives, lists, a video, small face sets.

All of it is made of matplotlib's sample portrait and of noise from a seed; real photographs can be added.
"""

import shutil
import tarfile
import zipfile
from pathlib import Path

import numpy as np
from matplotlib.cbook import get_sample_data
from PIL import Image

CLASSES = ("angry", "disgust", "fear", "happy", "sad", "surprise", "neutral")
#: The columns of FER+ in its file; `_VOTED` has the one that each of CLASSES is there.
_VOTES = "Usage,Image name,neutral,happiness,surprise,sadness,anger,disgust,fear,contempt,unknown,NF"
_VOTED = (4, 5, 6, 1, 3, 2, 0)


def make_inputs(folder: Path, photos: Path | None) -> None:
    """Write all inputs into a folder, with the pictures of `photos` among its photographs."""
    with Image.open(get_sample_data("grace_hopper.jpg", asfileobj=False)) as picture:
        portrait = picture.convert("RGB")
    _photographs(folder / "photos", portrait, photos)
    _odd(folder / "odd", portrait)
    _archives(folder)
    _lists(folder)
    _face_set(folder / "set", portrait)
    _named_sets(folder / "root", folder / "set", portrait)
    _video(folder / "clip.mp4", portrait)


def _photographs(folder: Path, portrait: Image.Image, photos: Path | None) -> None:
    """A folder with one photograph and a folder in it, and those that are given."""
    (folder / "inner" / "deeper").mkdir(parents=True)
    portrait.save(folder / "hopper.jpg", quality=92)
    portrait.resize((256, 300)).save(folder / "inner" / "img10.png")
    portrait.crop((100, 60, 420, 400)).save(folder / "inner" / "img2.jpg", quality=85)
    _fog(240, 200, seed=1).save(folder / "inner" / "deeper" / "nobody.png")
    (folder / "inner" / "notes.txt").write_text("no picture\n", encoding="utf-8")
    for path in sorted(photos.iterdir()) if photos else ():
        if path.is_file():
            shutil.copyfile(path, folder / path.name)


def _odd(folder: Path, portrait: Image.Image) -> None:
    """Formats that are seldom met, and damaged files."""
    folder.mkdir()
    small = portrait.resize((256, 300))
    small.save(folder / "animated.gif", save_all=True, append_images=[small.transpose(Image.Transpose.ROTATE_180)])
    small.save(folder / "animated.webp", save_all=True, append_images=[small.convert("L").convert("RGB")], quality=90)
    small.convert("CMYK").save(folder / "cmyk.jpg", quality=92)
    small.convert("L").save(folder / "gray.tif")
    Image.fromarray(np.asarray(small.convert("L")).astype(np.uint16) * 257).save(folder / "gray16.png")
    small.quantize(32).save(folder / "palette.png")
    see_through = small.copy()
    see_through.putalpha(180)
    see_through.save(folder / 'see, "through".png')
    turned, exif = small.transpose(Image.Transpose.ROTATE_90), Image.Exif()
    exif[0x0112] = 6  # to be turned right by 90 degrees
    turned.save(folder / "turned.jpg", exif=exif, quality=92)
    Image.new("RGB", (3, 2), "white").save(folder / "tiny.png")
    (folder / "empty.png").write_bytes(b"")
    (folder / "noise.jpg").write_bytes(np.random.default_rng(2).bytes(3000))
    small.save(folder / "cut.jpg", quality=92)
    whole = (folder / "cut.jpg").read_bytes()
    (folder / "cut.jpg").write_bytes(whole[: len(whole) // 2])


def _archives(folder: Path) -> None:
    """Pictures in a zip and a tar archive, one of them damaged, and a damaged archive."""
    members = {
        "inner/img10.png": folder / "photos/inner/img10.png",
        "inner/img2.jpg": folder / "photos/inner/img2.jpg",
        "noise.jpg": folder / "odd/noise.jpg",
        "../outside.jpg": folder / "photos/inner/img2.jpg",
    }
    with zipfile.ZipFile(folder / "album.zip", "w") as album, tarfile.open(folder / "album.tar.gz", "w:gz") as tar:
        for name, path in members.items():
            album.write(path, name)
            tar.add(path, name)
    whole = (folder / "album.zip").read_bytes()
    (folder / "cut.zip").write_bytes(whole[: len(whole) // 2])


def _lists(folder: Path) -> None:
    """A list with an empty line and a name that is not there, and one that is ended by NUL."""
    (folder / "list.txt").write_text("photos/hopper.jpg\n\nodd/palette.png\ngone.jpg\n", encoding="utf-8")
    (folder / "list0.txt").write_text('odd/see, "through".png\0photos/hopper.jpg\0', encoding="utf-8")


def _face_set(folder: Path, portrait: Image.Image) -> None:
    """48×48 faces of seven classes and three splits, with what `fer data check` looks for: duplicates, contradictions,
    a blank face. `p4_61.png` is of subject p4."""
    head = portrait.convert("L").crop((140, 80, 390, 370))
    for number in range(84):
        split = ("train", "train", "train", "train", "val", "test")[number // 14]
        path = folder / split / CLASSES[number % 7]
        path.mkdir(parents=True, exist_ok=True)
        face = Image.blend(head.resize((48, 48)), _fog(48, 48, seed=100 + number).convert("L"), 0.55)
        face.save(path / f"p{number // 7 // 2}_{number}.png")
    train = folder / "train"
    shutil.copyfile(train / "happy/p0_3.png", train / "happy/p0_900.png")
    shutil.copyfile(train / "happy/p0_3.png", train / "sad/p0_901.png")
    shutil.copyfile(train / "angry/p0_0.png", folder / "test/angry/p5_902.png")
    Image.new("L", (48, 48), 128).save(train / "fear/p1_903.png")


def _named_sets(root: Path, faces: Path, portrait: Image.Image) -> None:
    """A data root with small sets of the layouts of FER2013 (FER+ beside it) and muxspace."""
    rows, votes = ["emotion,pixels,Usage"], [_VOTES]
    for split, usage in (("train", "Training"), ("val", "PublicTest"), ("test", "PrivateTest")):
        for path in sorted((faces / split).rglob("*.png"), key=lambda path: path.name):
            label = CLASSES.index(path.parent.name)
            with Image.open(path) as face:
                rows.append(f"{label},{' '.join(map(str, np.asarray(face).ravel()))},{usage}")
            counts = [0] * 10
            counts[_VOTED[label]] += 7
            counts[len(rows) % 10] += 3 if len(rows) % 5 else 7
            votes.append(f"{usage},fer{len(rows):07}.png,{','.join(map(str, counts))}")
    (root / "fer2013").mkdir(parents=True)
    (root / "fer2013/fer2013.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    (root / "fer2013/fer2013new.csv").write_text("\n".join(votes) + "\n", encoding="utf-8")
    (root / "muxspace/images").mkdir(parents=True)
    (root / "muxspace/data").mkdir()
    legend = ["user.id,image,emotion"]
    for number, emotion in enumerate(("anger", "HAPPINESS", "neutral", "surprise", "contempt")):
        name = f"Person_{'ABC'[number % 3]}_{number:04}.jpg"
        portrait.resize((128 + number, 152)).save(root / "muxspace/images" / name, quality=92)
        legend.append(f"628,{name},{emotion}")
    (root / "muxspace/data/legend.csv").write_text("\n".join(legend) + "\n", encoding="utf-8")


def _video(path: Path, portrait: Image.Image) -> None:
    """30 frames, 10 a second: a head goes to the right, its mirror image to the left, and for some frames nobody."""
    import cv2

    head = portrait.crop((120, 20, 400, 380)).resize((93, 120))
    other = head.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"mp4v"), 10.0, (320, 240))
    for number in range(30):
        frame = Image.new("RGB", (320, 240), (150, 150, 150))
        if number not in range(20, 24):
            frame.paste(head, (10 + 3 * number, 20))
            frame.paste(other, (215 - 2 * number, 110))
        writer.write(np.ascontiguousarray(np.asarray(frame)[..., ::-1]))
    writer.release()


def _fog(width: int, height: int, seed: int) -> Image.Image:
    """A picture of soft gray noise, without a face."""
    noise = np.random.default_rng(seed).integers(0, 256, (6, 6), np.uint8)
    return Image.fromarray(noise).resize((width, height), Image.Resampling.BICUBIC).convert("RGB")


def interrupt(old: Path) -> None:
    """Turn what the commands of `cases.OLD` wrote into what they leave when they are killed on the way.

    `unfinished` is a run after its first of two epochs, `faces.csv` lacks its last rows, `crossval` its last fold.
    """
    (old / "unfinished/metrics.json").unlink()
    _replace(old / "unfinished/config.yaml", "epochs: 1\n", "epochs: 2\n")
    whole = (old / "faces.csv").read_bytes()
    (old / "faces.csv").write_bytes(whole[: 3 * len(whole) // 5])
    _replace(old / "faces.csv.job", '"complete": true', '"complete": false')
    (old / "crossval/crossval.json").unlink()
    for fold in list((old / "crossval").rglob("fold-03")):
        shutil.rmtree(fold)


def _replace(path: Path, text: str, instead: str) -> None:
    content = path.read_text(encoding="utf-8")
    assert content.count(text) == 1, f"{path} has not exactly one {text!r}"
    path.write_text(content.replace(text, instead), encoding="utf-8")
