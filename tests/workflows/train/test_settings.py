"""A run's settings: the catalogue's, then what was typed, then whether they make sense."""

import pytest
import yaml

from fercli.core.errors import ModelError, RunError, UsageError
from fercli.workflows.run_folder import read_config
from fercli.workflows.train.options import TrainOptions
from fercli.workflows.train.settings import parse_settings, resolve_config


def resolve(**options):
    return resolve_config(TrainOptions(**options))


def test_settings_come_from_the_catalogue_then_what_was_typed():
    chosen = resolve(model="bah-basic", recipe="paper", seed=5, lr=0.5)
    assert (chosen.model, chosen.data, chosen.seed) == ("bah-basic", "cartoon", 5)
    assert (chosen.recipe.optimizer.name, chosen.recipe.optimizer.lr, chosen.recipe.epochs) == ("nadam", 0.5, 100)


def test_papers_split_by_image_unless_told_otherwise():
    assert resolve(recipe="paper").group == "image"
    assert resolve(recipe="paper", group="subject").group == "subject"
    assert resolve(recipe="best").group == "auto"


def test_typed_pairs_are_read_as_yaml():
    assert parse_settings(["optimizer.lr=1e-3", "augment.flip=false", "stop_after=null"]) == {
        "optimizer.lr": "1e-3",
        "augment.flip": False,
        "stop_after": None,
    }
    with pytest.raises(UsageError, match="write it as key=value"):
        parse_settings(["epochs"])


@pytest.mark.parametrize("pair", ["epochz=3", "optimizer.name=adma", "batch_size=1", "augment=5"])
def test_a_setting_that_makes_no_sense_is_named(pair):
    with pytest.raises(UsageError, match=f"--(set )?{pair.split('=')[0]}: ".replace("_", "[_-]")):
        resolve(recipe_settings=parse_settings([pair]))


def test_an_unknown_model_suggests_the_nearest():
    with pytest.raises(ModelError, match="did you mean bah-resnet"):
        resolve(model="bah-resnt")


def test_a_damaged_config_is_one_error(tmp_path):
    (tmp_path / "config.yaml").write_text("model: [")
    with pytest.raises(RunError, match="is not valid YAML"):
        read_config(tmp_path / "config.yaml")
    (tmp_path / "config.yaml").write_text(yaml.safe_dump({"model": "x"}))
    with pytest.raises(UsageError, match="recipe: is missing"):
        read_config(tmp_path / "config.yaml")


#: What version 0.1 wrote into a run's folder, the settings left out that are called the same today.
OLD_CONFIG = """
model: bah-resnet
data: cartoon
extra: muxspace
teacher: xu-rescnn
recipe_name: paper
recipe:
  epochs: 100
  batch_size: 64
  optimizer: {name: nadam, lr: 0.001}
  schedule: {name: plateau, patience: 15, factor: 0.1, floor: 1.0e-06, warmup: 0.0}
  teacher_share: 0.7
  extra_most: 100
  average: 0.9
  stop_after: 30
  keep: lowest-loss
"""


def test_settings_of_runs_made_before_are_read_by_their_old_names(tmp_path):
    (tmp_path / "config.yaml").write_text(OLD_CONFIG)
    recipe = read_config(tmp_path / "config.yaml").recipe
    assert (recipe.distillation_weight, recipe.max_extra_per_class, recipe.ema_decay) == (0.7, 100, 0.9)
    assert (recipe.early_stopping_patience, recipe.checkpoint_metric, recipe.schedule.min_lr) == (30, "loss", 1e-6)


def test_old_names_can_be_typed_and_change_what_the_new_ones_do():
    typed = parse_settings(["average=0.5", "stop_after=null", "keep=best-accuracy"])
    recipe = resolve(recipe_settings=typed).recipe
    assert (recipe.ema_decay, recipe.early_stopping_patience, recipe.checkpoint_metric) == (0.5, None, "accuracy")
    with pytest.raises(UsageError, match="'average' is called 'ema_decay' now"):
        resolve(recipe_settings={"average": 0.5, "ema_decay": 0.6})
