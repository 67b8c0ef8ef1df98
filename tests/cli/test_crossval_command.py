"""`fer crossval` as it is typed."""

import io
import json

import pytest
from rich.console import Console

from fercli.data.cartoon import cartoon

SMALL = (
    "crossval",
    "--model",
    "lenet",
    "--recipe",
    "quick",
    "--epochs",
    1,
    "--folds",
    3,
    "--jobs",
    1,
    "--device",
    "cpu",
)


@pytest.fixture
def fer(fer, monkeypatch, without_pictures):
    """The command on few faces and without pictures."""
    monkeypatch.setattr("fercli.workflows.crossval.run.load_set", lambda *_: cartoon(6, 1))
    return fer


def test_tables_progress_and_what_to_type_next(fer, tmp_path):
    code, out, err = fer(*SMALL, "--group", "both", "--baseline", "majority", "--out", "cv")
    assert code == 0, err
    first, *lines = err.splitlines()
    assert first.startswith("cross-validating lenet from scratch on cartoon (built-in drawn faces: name a real set")
    assert first.endswith("recipe quick, 1 epoch, 3 folds, 1 run")
    assert sum("so far" in line and " of 12" in line for line in lines) == 12
    assert "next: fer eval --model cv/image/lenet/run-01/fold-01" in err
    text = " ".join(out.split())
    for words in (
        "lenet on cartoon, by image: 1 run of 3 folds", "rows: true, columns: predicted", "lenet − majority",
        "gap, points", "PCA + SVM 89.14 ± 2.91", "the data differ", "people are in training and test",
    ):  # fmt: skip
        assert words in text
    code, out, err = fer("crossval", "--resume", "--out", "cv", "--json")
    assert code == 0, err
    assert "12 of 12 folds are done already" in err
    document = json.loads(out)
    assert [(one["group"], one["method"]) for one in document["series"]] == [
        ("image", "lenet"), ("image", "majority"), ("subject", "lenet"), ("subject", "majority"),
    ]  # fmt: skip
    code, _, err = fer("crossval", "--resume", "--out", "cv", "--runs", 2, "--lr", 0.5)
    assert code == 2
    assert "begun with other settings (runs: 1, 2; recipe.optimizer.lr: 0.001, 0.5): leave them out" in err


def test_tables_fit_the_terminal(fer, tmp_path):
    from fercli.cli.crossval_tables import crossval_report
    from fercli.workflows.crossval.options import CrossvalOptions
    from fercli.workflows.crossval.run import crossval

    options = CrossvalOptions(
        models=("lenet",), recipe="quick", device="cpu", epochs=1, folds=3, runs=2, group="both",
        baselines=["majority"], threads=1, jobs=1, out=tmp_path / "cv",
    )  # fmt: skip
    result = crossval(options)
    for width in (40, 60, 80, 120):
        screen = Console(file=io.StringIO(), width=width)
        screen.print(crossval_report(result))
        text = screen.file.getvalue()
        assert max(map(len, text.splitlines())) <= width
        assert "…" not in text
        words = " ".join(text.split())
        accuracy = result.series[0].scores.accuracy_spread
        assert accuracy.percent() in words
        assert ("run angry" in words) == (width >= 80)


def test_the_plain_command_is_quick(fer):
    from fercli.workflows.crossval.options import CrossvalOptions
    from fercli.workflows.crossval.settings import resolve_crossval

    plain = resolve_crossval(CrossvalOptions())
    assert (plain.folds, plain.runs, plain.group) == (10, 1, "auto")
    assert [(model.model, model.data, model.recipe_name) for model in plain.models] == [
        ("xu-rescnn", "cartoon", "quick")
    ]
    named = resolve_crossval(CrossvalOptions(models=("lenet",)))
    assert named.models[0].recipe_name == "best"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--folds", 2], "--folds 2 are too few"),
        (["--folds", 7], "only 6 faces of angry, its rarest class; take --folds 6"),
        (["--group", "subject", "--folds", 7], "take --folds 6 or fewer"),
        (["--model", "xu"], "no model 'xu'"),
        (["--model", "lenet", "--model", "lenet"], "each of them once"),
        (["--baseline", "svm"], "--baseline: 'svm' is not one of 'pca-svm', 'nearest' or 'majority'"),
        (["--grid", "optimizer.lr"], "--grid optimizer.lr: write it as key=value,value"),
        (["--select", "--grid", "optimizer.rate=1,2"], "recipe.optimizer.rate"),
        (["--resume"], "no unfinished cross-validation"),
        (["--resume", "--force"], "leave one out"),
        (["--resume", "--out", "nowhere"], "nothing to resume in nowhere"),
        (["--jobs", 0], "--jobs: must be 1 or more, not 0"),
        (["--threads", 0], "--threads: 0 must be 1 or more"),
        (["--device", "tpu"], "it is auto, cpu, cuda"),
        (["--model", "li-resnet50", "--model", "li-resnet101", "--pretrained-file", "x"], "name one --model"),
    ],
)
def test_a_mistake_is_one_line_and_exit_code_2(fer, tmp_path, words, message):
    code, out, err = fer("crossval", *words)
    assert (code, out) == (2, "")
    assert message in err
    assert len([line for line in err.splitlines() if line.startswith("error:")]) == 1
    assert "Traceback" not in err
    assert not list(tmp_path.iterdir())


def test_ctrl_c_says_how_to_go_on(fer, monkeypatch):
    def interrupted(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr("fercli.workflows.crossval.fold.FoldTrainer.run", interrupted)
    code, _, err = fer(*SMALL, "--out", "cv")
    assert code == 130
    assert "stopped after 0 of 3 folds; fer crossval --resume --out cv continues" in err
