"""Augmentation: where pixels go, that every face draws for itself, and that draws repeat."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Generator

from fercli.core.recipe import Augmentation
from fercli.training.augment import Draws, augment


def augmented(faces: torch.Tensor, amounts: Augmentation, seed: int = 0) -> torch.Tensor:
    return augment(faces, amounts, Draws(Generator().manual_seed(seed), len(faces)))


def noise(count: int = 16) -> torch.Tensor:
    return torch.randint(0, 256, (count, 1, 48, 48), dtype=torch.uint8, generator=Generator().manual_seed(7))


def test_nothing_asked_changes_nothing():
    assert torch.equal(augmented(noise(), Augmentation()), noise().float())


def test_a_flip_is_the_face_or_its_mirror_image_and_both_happen():
    faces = noise(64)
    out = augmented(faces, Augmentation(flip=True)).round()
    same = (out == faces).flatten(1).all(1)
    mirrored = (out == faces.flip(3)).flatten(1).all(1)
    assert (same ^ mirrored).all()
    assert 15 < same.sum() < 49


@pytest.mark.parametrize(
    "amounts",
    [
        {"rotate": 20},
        {"shift": 0.2},
        {"zoom": 0.3},
        {"contrast": 0.5},
        {"brightness": 0.3},
        {"erase": 1},
        {"blur": 2},
        {"noise": 0.1},
    ],
)
def test_each_face_draws_for_itself(amounts):
    faces = noise(1).expand(8, -1, -1, -1)
    out = augmented(faces, Augmentation(**amounts))
    # next to no blur is none, and may be drawn twice
    assert len({face.numpy().tobytes() for face in out}) >= 7


def test_the_same_seed_draws_the_same():
    amounts = Augmentation(
        flip=True, rotate=10, shift=0.1, zoom=0.1, brightness=0.1, contrast=0.1, erase=0.5, blur=1, noise=0.1
    )
    assert torch.equal(augmented(noise(), amounts, 3), augmented(noise(), amounts, 3))
    assert not torch.equal(augmented(noise(), amounts, 3), augmented(noise(), amounts, 4))


def blob(x: int, y: int) -> torch.Tensor:
    """A black face with one bright 3×3 spot."""
    faces = torch.zeros(32, 1, 48, 48, dtype=torch.uint8)
    faces[:, :, y - 1 : y + 2, x - 1 : x + 2] = 255
    return faces


def centres(pixels: torch.Tensor) -> torch.Tensor:
    """The centre of brightness of each face, x and y in pixels."""
    weights = pixels[:, 0] / pixels[:, 0].sum(dim=(1, 2), keepdim=True)
    positions = torch.arange(48.0)
    return torch.stack(((weights.sum(1) * positions).sum(1), (weights.sum(2) * positions).sum(1)), dim=1)


def test_a_shift_moves_by_no_more_than_its_fraction_of_the_side():
    moved = centres(augmented(blob(24, 24), Augmentation(shift=0.1))) - 24
    assert moved.abs().max() <= 4.8 + 0.1
    assert moved.abs().max() > 3
    # along both sides, both ways
    assert (moved.min(0).values < -1).all()
    assert (moved.max(0).values > 1).all()


def test_a_rotation_keeps_the_distance_from_the_middle_and_stays_within_its_degrees():
    offset = centres(augmented(blob(34, 23), Augmentation(rotate=15))) - 23.5
    degrees = torch.rad2deg(torch.atan2(offset[:, 1], offset[:, 0]))
    start = torch.rad2deg(torch.atan2(torch.tensor(-0.5), torch.tensor(10.5)))
    assert torch.allclose(offset.norm(dim=1), torch.tensor(10.5), atol=0.3)
    assert ((degrees - start).abs() <= 16).all()
    assert (degrees - start).min() < -5 < 5 < (degrees - start).max()


def test_a_zoom_scales_the_distance_from_the_middle_both_ways():
    distance = (centres(augmented(blob(34, 23), Augmentation(zoom=0.2))) - 23.5).norm(dim=1) / 10.5
    assert 1 / 1.2 - 0.02 <= distance.min() < 0.95
    assert 1.05 < distance.max() <= 1.2 + 0.02


def test_erasing_blanks_one_rectangle_to_the_mean_in_its_fraction_of_faces():
    faces = noise(400)
    out = augmented(faces, Augmentation(erase=0.25))
    changed = (out != faces).flatten(1).any(1)
    assert 60 < changed.sum() < 140
    face, before = out[changed][0, 0], faces[changed][0, 0].float()
    rows, columns = torch.nonzero(face != before, as_tuple=True)
    block = face[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1]
    assert torch.allclose(block, before.mean().expand_as(block))
    assert 7 <= block.shape[0] <= 25
    assert 7 <= block.shape[1] <= 25


def test_a_blur_spreads_a_spot_by_up_to_its_deviation_and_loses_no_light():
    faces = blob(24, 24)
    out = augmented(faces, Augmentation(blur=2.0))
    assert out.sum(dim=(1, 2, 3)).tolist() == pytest.approx([9 * 255.0] * 32, rel=1e-4)
    assert centres(out).flatten().tolist() == pytest.approx([24.0] * 64, abs=1e-3)
    across = (out[:, 0].sum(1) * (torch.arange(48.0) - 24) ** 2).sum(1) / out.sum(dim=(1, 2, 3))
    deviation = (across - 2 / 3).clamp(min=0).sqrt()  # the spot's own spread taken away
    assert deviation.max() < 2.01
    assert deviation.max() > 1.5
    assert 8 < (deviation < 0.5).sum() < 24


def test_a_blur_leaves_an_even_face_alone_to_its_edges():
    even = torch.full((4, 1, 48, 48), 77, dtype=torch.uint8)
    assert torch.allclose(augmented(even, Augmentation(blur=3)), even.float(), atol=1e-3)


def test_noise_is_as_strong_as_drawn_and_differs_from_pixel_to_pixel():
    even = torch.full((64, 1, 48, 48), 127, dtype=torch.uint8)
    out = augmented(even, Augmentation(noise=0.1)) - 127
    strength = out.flatten(1).std(1)
    assert strength.max() < 25.5 * 1.05
    assert strength.max() > 20
    assert 16 < (strength < 25.5 / 4).sum() < 48
    assert out.mean().abs() < 0.3


def test_contrast_keeps_the_mean():
    faces = torch.randint(100, 150, (16, 1, 48, 48), dtype=torch.uint8)
    out = augmented(faces, Augmentation(contrast=0.5))
    assert torch.allclose(out.mean(dim=(1, 2, 3)), faces.float().mean(dim=(1, 2, 3)), atol=0.01)
    assert (out.std(dim=(1, 2, 3)) / faces.float().std(dim=(1, 2, 3)) - 1).abs().max() <= 0.5


@settings(deadline=None, max_examples=30)
@given(
    rotate=st.floats(0, 180),
    shift=st.floats(0, 0.9),
    zoom=st.floats(0, 3),
    light=st.floats(0, 0.99),
    erase=st.floats(0, 1),
    blur=st.floats(0, 6),
)
def test_pixels_stay_pixels_whatever_is_asked(rotate, shift, zoom, light, erase, blur):
    amounts = Augmentation(
        flip=True, rotate=rotate, shift=shift, zoom=zoom, brightness=light, contrast=light, erase=erase, blur=blur,
        noise=light,
    )  # fmt: skip
    out = augmented(noise(4), amounts)
    assert out.shape == (4, 1, 48, 48)
    assert out.min() >= 0
    assert out.max() <= 255.001


def test_a_move_probability_leaves_about_that_many_moves_out():
    faces = noise(1).expand(400, -1, -1, -1)
    for amounts in ({"rotate": 20}, {"shift": 0.2}, {"zoom": 0.3}):
        out = augmented(faces, Augmentation(**amounts, move_probability=0.25))
        kept = int((out.round() == faces).flatten(1).all(1).sum())
        assert 260 < kept < 340, amounts
    both = augmented(faces, Augmentation(rotate=20, zoom=0.3, move_probability=0.5))
    # each is decided by itself, so a quarter has neither
    assert 70 < int((both.round() == faces).flatten(1).all(1).sum()) < 130


@pytest.mark.parametrize("amounts", [{"flip": True, "rotate": 20}, {"contrast": 0.5}, {"erase": 1}, {"noise": 0.1}])
def test_a_share_of_a_batch_is_changed_as_in_the_whole_batch(amounts):
    faces, share = noise(12), slice(4, 8)
    draws = Draws(Generator().manual_seed(0), len(faces), share)
    out = augment(faces[share], Augmentation(**amounts), draws)
    torch.testing.assert_close(out, augmented(faces, Augmentation(**amounts))[share], rtol=0, atol=1e-3)
