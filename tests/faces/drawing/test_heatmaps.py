import numpy as np
import pytest

from fercli.faces.drawing.heatmaps import PANEL, draw_heatmap


def shown(heat, title="face 1: happy 97 %", source="photo.jpg"):
    return draw_heatmap(np.full((48, 48), 128, np.uint8), heat, title, source, "what speaks for 'happy'", "a remark")


def panels(picture):
    """The two panels: the gray one and the one beside it."""
    gray = np.all(picture == 128, axis=2)
    rows = np.flatnonzero(gray[:, 20])
    top, left = rows[0], np.flatnonzero(gray[rows[5]])[0]
    gap = (picture.shape[1] - 2 * PANEL) // 3
    return [picture[top : top + PANEL, x : x + PANEL] for x in (left, left + PANEL + gap)]


def test_the_left_panel_is_the_plain_face_and_the_right_one_has_the_heat():
    heat = np.zeros((48, 48), np.float32)
    heat[:24, :24] = 1
    plain, under = panels(shown(heat))
    assert np.all(plain == 128)
    hot, cold = under[: PANEL // 3, : PANEL // 3], under[-PANEL // 3 :, -PANEL // 3 :]
    assert np.all(cold == 128)
    assert np.all(hot[..., 0] > hot[..., 1] + 80)


def test_more_heat_is_redder():
    heat = np.tile(np.linspace(0, 1, 48, dtype=np.float32), (48, 1))
    _, under = panels(shown(heat))
    redness = under[100, :, 0].astype(int) - under[100, :, 1]
    assert np.all(np.diff(redness[::16]) >= 0)
    assert redness[-1] > 80


@pytest.mark.parametrize("source", ["", "a" * 500, "高兴\n\t.jpg", "<&>"])
def test_any_name_fits(source):
    picture = shown(np.zeros((48, 48), np.float32), title=source, source=source)
    assert picture.shape == shown(np.zeros((48, 48), np.float32)).shape
    assert np.all(picture[:, :8] == 255)
    assert np.all(picture[:, -8:] == 255)
