"""fer data: listing, showing and building sets, as it is typed."""

import json

import numpy as np
import pytest
from matplotlib.cbook import get_sample_data
from PIL import Image


@pytest.fixture
def root(tmp_path):
    """FER2013's csv file with three faces, and muxspace's pictures: a real portrait and one of contempt."""
    pixels = " ".join(map(str, np.random.default_rng(0).integers(0, 256, 48 * 48).tolist()))
    rows = [f"{label},{pixels},{usage}" for label, usage in ((0, "Training"), (3, "Training"), (3, "PublicTest"))]
    (tmp_path / "fer2013.csv").write_text("\n".join(["emotion,pixels,Usage", *rows]))
    (tmp_path / "muxspace/images").mkdir(parents=True)
    with Image.open(get_sample_data("grace_hopper.jpg", asfileobj=False)) as portrait:
        portrait.resize((128, 152)).save(tmp_path / "muxspace/images/Grace_Hopper_0001.jpg")
    legend = "user.id,image,emotion\n1,Grace_Hopper_0001.jpg,NEUTRAL\n1,x_0001.jpg,contempt\n"
    (tmp_path / "muxspace/legend.csv").write_text(legend)
    return tmp_path


def test_the_list_says_what_is_here(fer, root):
    code, out, err = fer("data", "list", "--root", ".")
    assert code == 0
    assert "fer2013.csv" in out
    assert "fer data build fergit" in " ".join(out.split())
    assert "fer data show NAME" in err
    sets = json.loads(fer("data", "list", "--root", root, "--json")[1])
    assert sets["fer2013"]["found"] == str(root / "fer2013.csv")
    assert sets["cartoon"]["built_in"] is True
    assert sets["fergit"]["found"] is None


def test_names_to_download_are_whole_on_a_narrow_terminal(fer, root, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    shown = "".join(fer("data", "list", "--root", root.parent / "none")[1].split())
    assert "challenges-in-representation-learning-facial-expression-recognition-challenge" in shown


def test_a_set_is_counted(fer, root):
    code, out, _ = fer("data", "show", "fer2013", "--root", root)
    assert code == 0
    lines = [line.split() for line in out.splitlines()]
    assert ["class", "train", "val", "all", "share"] in lines
    assert ["happy", "1", "1", "2", "66.7", "%"] in [line[:6] for line in lines]
    assert "for research" in out
    shown = json.loads(fer("data", "show", "cartoon", "--json")[1])
    assert shown["faces"] == 700
    assert shown["subjects"] == 20
    assert sum(map(sum, (row.values() for row in shown["counts"].values()))) == 700


def test_a_sheet_shows_faces_of_each_class(fer, tmp_path):
    code, _, err = fer("data", "show", "cartoon", "--sheet", "faces.png")
    assert (code, "written to faces.png" in err) == (0, True)
    with Image.open(tmp_path / "faces.png") as sheet:
        assert sheet.height > 7 * 2 * 100, "two rows a class"
    code, _, err = fer("data", "show", "cartoon", "--sheet", "faces.png")
    assert (code, "--force replaces it" in err) == (2, True)
    assert fer("data", "show", "cartoon", "--sheet", "faces.jpg")[0] == 2


def test_a_set_that_cannot_be_split_is_counted_all_the_same(fer):
    code, out, _ = fer("data", "show", "cartoon", "--subject-pattern", "s(.)")
    assert (code, out.split()[:3]) == (0, ["cartoon", "·", "700"])
    assert "3 persons in cartoon are too few to keep 1/10 of them apart" in " ".join(out.split())


def test_fergit_is_built_and_shown(fer, root):
    code, out, err = fer("data", "build", "fergit", "--root", root)
    assert code == 0, err
    assert "left out, labelled contempt: 1 (x_0001.jpg)" in out
    assert "fer train --model bah-resnet --data fergit" in err
    code, out, _ = fer("data", "show", "fergit", "--root", root)
    assert (code, out.split()[:3]) == (0, ["fergit", "·", "4"])
    code, _, err = fer("data", "build", "fergit", "--root", root)
    assert (code, "exists already: --force replaces it" in err) == (2, True)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("data", "show", "fer2014"), "did you mean fer2013?"),
        (("data", "show", "cartoon", "--detect"), "--detect looks for faces in photographs"),
        (("data", "show", "cartoon", "--keep-contempt"), "--keep-contempt goes with"),
        (("data", "show", "cartoon", "--labels", "ferplus"), "give fer2013.csv or icml_face_data.csv"),
        (("data", "show", "cartoon", "--subject-pattern", "(", "--subjects", "x.csv"), "leave one out"),
        (("data", "build", "fergit", "--output", "x.npz"), "must end in .safetensors"),
        (("data", "build", "cartoon"), "'cartoon' is not"),
    ],
)
def test_a_mistake_is_one_line(fer, words, message):
    code, out, err = fer(*words)
    assert (code, out) == (2, "")
    assert message in err
    assert "Traceback" not in err
