import shutil
from pathlib import Path

from matplotlib.cbook import get_sample_data


def test_a_page_is_written_and_not_over_another(fer, tmp_path):
    code, out, err = fer("predict", "--demo", "--report", "page.html", "--device", "cpu")
    assert code == 0, err
    assert err.splitlines()[-1] == "report in page.html"
    assert "grace_hopper.jpg" in out
    page = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert "Expressions in 1 face" in page
    assert "fer predict --demo --report page.html" in page
    code, _, err = fer("predict", "--demo", "--report", "page.html")
    assert code == 2
    assert "--force replaces it" in err


def test_ctrl_c_leaves_a_page_of_what_is_finished(fer, tmp_path, monkeypatch):
    from fercli.workflows.predict import pipeline

    whole = pipeline.predict_sources

    def stopped(*arguments, **options):
        yield next(whole(*arguments, **options))
        raise KeyboardInterrupt

    monkeypatch.setattr(pipeline, "predict_sources", stopped)
    portrait = Path(get_sample_data("grace_hopper.jpg", asfileobj=False))
    for name in ("a.jpg", "b.jpg"):
        shutil.copy(portrait, tmp_path / name)
    code, _, err = fer("predict", "a.jpg", "b.jpg", "--report", "page.html", "--device", "cpu")
    assert code == 130
    assert "report in page.html" in err
    assert "Expressions in 1 face" in (tmp_path / "page.html").read_text(encoding="utf-8")
