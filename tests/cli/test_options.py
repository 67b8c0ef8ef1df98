"""The options of train, crossval and eval: fields and flags are the same, each changes the setting that it names."""

import inspect
from dataclasses import MISSING, fields
from pathlib import Path

import pytest

from fercli.cli.crossval import crossval
from fercli.cli.evaluate import evaluate
from fercli.cli.train import train
from fercli.core.config import LoadOptions, RunConfig
from fercli.core.errors import UsageError
from fercli.core.recipe import Recipe
from fercli.workflows.crossval.options import CrossvalOptions
from fercli.workflows.crossval.settings import CrossvalConfig, resolve_crossval
from fercli.workflows.evaluate.options import EvaluateOptions
from fercli.workflows.train.options import CommonOptions, TrainOptions
from fercli.workflows.train.settings import resolve_config

COMMANDS = [(train, TrainOptions), (crossval, CrossvalOptions), (evaluate, EvaluateOptions)]
#: Flags that an options object has no field for: how a set is read makes one, and these are the terminal's.
ASIDE = {"labels", "keep_contempt", "subject_pattern", "subjects", "detect", "as_json", "quiet", "debug", "corrupt"}
#: Where the threads are the process's. In crossval they are each fold's, and a setting.
OF_THE_PROCESS = {train: {"threads"}, crossval: set(), evaluate: {"threads"}}


@pytest.mark.parametrize(("command", "kind"), COMMANDS)
def test_every_field_is_a_flag_with_its_default_and_every_flag_a_field(command, kind):
    flags = inspect.signature(command).parameters
    names = {field.name for field in fields(kind)} - {"load_options"}
    assert names == set(flags) - ASIDE - OF_THE_PROCESS[command]
    for field in fields(kind):
        # what is typed as a list or as key=value is read first
        if field.name in names and field.default is not MISSING and field.default != ():
            assert flags[field.name].default == field.default, field.name


def test_flags_of_train_and_crossval_are_the_same():
    ours, theirs = (inspect.signature(command).parameters for command in (train, crossval))
    for field in fields(CommonOptions):
        if field.name not in ("load_options", "recipe", "out", "resume"):  # whose help differs
            assert ours[field.name].annotation is theirs[field.name].annotation, field.name


@pytest.mark.parametrize("kind", [TrainOptions, CrossvalOptions])
def test_marks_name_settings_that_there_are(kind):
    schemas = {"run": RunConfig, "recipe": Recipe, "crossval": CrossvalConfig}
    for field in fields(kind):
        for mark, setting in field.metadata.items():
            schema = schemas[mark]
            for name in setting.split("."):
                assert name in schema.model_fields, f"{field.name} changes {setting}"
                schema = schema.model_fields[name].annotation


def test_options_change_the_settings_that_they_name():
    options = TrainOptions(
        model="lenet", root=Path("sets"), lr=0.5, epochs=7, val_fraction=0.2, seed=0, drop_leaks=True, device="cpu",
        load_options=LoadOptions(keep_contempt=True), recipe_settings={"epochs": 8, "augment.rotate": 3},
    )  # fmt: skip
    config = resolve_config(options)
    assert (config.model, config.root, config.device) == ("lenet", str(Path("sets").absolute()), "cpu")
    assert (config.seed, config.drop_leaks, config.load_options.keep_contempt) == (0, True, True)
    assert (config.recipe.optimizer.lr, config.recipe.epochs, config.recipe.val_fraction) == (0.5, 8, 0.2)
    assert config.recipe.augment.rotate == 3
    # what is not asked for stays as it is in the run that is resumed
    assert resolve_config(TrainOptions(), base=config) == config
    assert resolve_config(TrainOptions(load_options=LoadOptions(detect=True)), base=config).load_options == LoadOptions(
        keep_contempt=True, detect=True
    )


def test_a_grid_or_a_way_to_choose_selects():
    for options in ({"select": True}, {"select_by": "mean"}, {"grid": {"optimizer.lr": [1e-3]}}):
        assert resolve_crossval(CrossvalOptions(**options)).select
    assert not resolve_crossval(CrossvalOptions()).select


@pytest.mark.parametrize(
    ("kind", "options", "message"),
    [
        (TrainOptions, {"resume": True, "force": True}, "--resume goes with neither --config nor --force"),
        (TrainOptions, {"resume": True, "config": Path("config.yaml")}, "--resume goes with neither"),
        (TrainOptions, {"pretrained": False, "pretrained_file": Path("x")}, "leave out either it or --pretrained-file"),
        (CrossvalOptions, {"resume": True, "force": True}, "--resume continues what --force would start over"),
        (CrossvalOptions, {"models": ("a", "b"), "pretrained_file": Path("x")}, "name one --model with it"),
        (CrossvalOptions, {"jobs": 0}, "--jobs: must be 1 or more, not 0"),
    ],
)
def test_options_that_do_not_go_together_are_refused(kind, options, message):
    with pytest.raises(UsageError, match=message):
        kind(**options)
