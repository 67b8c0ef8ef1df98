"""A model by its name: what is said where there is none."""

import pytest

from fercli.core.errors import ModelError
from fercli.models.locate import RUN_WEIGHTS, weights_path


@pytest.fixture
def runs(tmp_path, monkeypatch):
    """Two runs in `runs/`, and a folder of pictures that is called as one of them."""
    monkeypatch.chdir(tmp_path)
    for name in ("mine", "yours"):
        (tmp_path / "runs" / name).mkdir(parents=True)
        (tmp_path / "runs" / name / RUN_WEIGHTS).touch()
    (tmp_path / "mine").mkdir()


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("runs/mien", r"no model 'runs/mien': did you mean runs.mine\?"),
        ("yours", "no model 'yours': the run of that name is runs.yours"),
        ("mine", "mine is a folder, but no run: .*; the run of that name is runs.mine"),
        ("vgg41", "did you mean vgg14"),
        ("x" * 5000, "no model 'x+…x+'"),
    ],
)
def test_a_model_that_is_not_there_is_told_with_those_that_are(runs, name, told):
    with pytest.raises(ModelError, match=told):
        weights_path(name)
