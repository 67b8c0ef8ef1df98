"""The usual loop that training is measured against."""

from torchvision.datasets import ImageFolder

from benchmarks.training import save_pictures
from fercli.data.cartoon import cartoon


def test_the_usual_loop_counts_the_classes_as_we_do(tmp_path):
    faces = cartoon(1, 2)
    save_pictures(faces, tmp_path)
    pictures = ImageFolder(str(tmp_path))
    assert [name.split(" ", 1)[1] for name in pictures.classes] == list(faces.classes)
    assert sorted(pictures.targets) == sorted(faces.labels.tolist())
