"""The settings of a study: what the options make of them, and what is refused in one line."""

import pytest

from fercli.core.errors import UsageError
from fercli.models.catalogue import load_catalogue
from fercli.workflows.search.options import SearchOptions
from fercli.workflows.search.settings import dump_space, find_space, parse_duration, parse_limits, resolve_study
from fercli.workflows.train.settings import parse_settings, resolve_config


@pytest.fixture
def write(tmp_path):
    """Writes a space file."""

    def write_space(text: str) -> str:
        path = tmp_path / "space.yaml"
        path.write_text(text)
        return str(path)

    return write_space


def test_the_plain_command_searches_the_quick_recipe_of_the_default():
    config = resolve_study(SearchOptions())
    assert (config.run.model, config.run.recipe_name, config.objectives) == ("xu-rescnn", "quick", ("loss",))
    assert (config.sampler, config.pruner, config.trials, config.top, config.seeds) == ("tpe", "hyperband", 40, 5, 3)
    written = load_catalogue()["xu-rescnn"].spaces["recipe"]
    assert config.space == written | {"batch_size": [16, *written["batch_size"]]}


def test_what_follows_from_folds_and_objectives():
    assert resolve_study(SearchOptions(folds=3)).pruner == "wilcoxon"
    several = resolve_study(SearchOptions(objectives=("accuracy", "parameters")))
    assert (several.sampler, several.pruner, several.directions) == ("nsga2", "none", ["maximize", "minimize"])


@pytest.mark.parametrize("name", load_catalogue().models)
def test_every_recipe_is_in_the_space_of_its_network(name):
    """But a weight decay of 0, where the range is logarithmic."""
    for recipe in load_catalogue()[name].recipes:
        config = resolve_study(SearchOptions(model=name, recipe=recipe))
        missing = config.space.keys() - config.default_point.keys()
        assert missing <= {"optimizer.weight_decay"}, recipe
        assert "optimizer.weight_decay" not in missing or config.run.recipe.optimizer.weight_decay == 0


@pytest.mark.parametrize("name", load_catalogue().models)
def test_every_space_of_the_catalogue_fits_its_network(name):
    run = resolve_config(SearchOptions(model=name))
    for space, document in load_catalogue()[name].spaces.items():
        assert find_space(space, run).dimensions.keys() == document.keys()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("optimizer.lrr: [1]", r"space.yaml: optimizer\.lrr: unknown setting: did you mean optimizer\.lr"),
        ("arguments.depth: [1, 2]", r"space.yaml: arguments\.depth: xu-rescnn has no such argument"),
        ("arguments.kernel: {low: 1, high: 4}", r"space.yaml: arguments\.kernel: 4 is not one of 1, 3"),
        ("batch_size: {low: 1, high: 64}", r"space.yaml: batch_size: 1 must be 2 or more"),
        ("optimizer.lr: {low: 1, high: 1}", r"space.yaml: optimizer\.lr: the range from 1 to 1 is empty"),
        ("arguments: [1]", r"space.yaml: arguments: name the one that changes"),
        ("val_fraction: [0.1, 0.2]", r"space.yaml: val_fraction: all trials share one split: give it with --set"),
        ("arguments.kernel: {low: 3, high: 8, step: 2}\nseed: [1, 2]", r"space.yaml: seed: all trials share it"),
        ("batch_size: [8]\nmixup: 0\nbatch_size: [16]", r"'batch_size' stands twice, in lines 1 and 3"),
        ("just words", r"space.yaml: it is no mapping"),
        ("a: [", r"space.yaml"),
    ],
)
def test_a_space_that_does_not_fit_is_told_in_one_line(write, text, message):
    with pytest.raises(UsageError, match=message) as error:
        resolve_study(SearchOptions(space=write(text)))
    assert "\n" not in str(error.value)


def test_a_space_that_is_nowhere_is_told_with_those_that_there_are():
    told = "no such file; xu-rescnn has recipe and architecture; fer search --show-space"
    with pytest.raises(UsageError, match=told):
        resolve_study(SearchOptions(space="wide"))


def test_a_grid_that_is_too_large_is_told(write):
    space = write("augment.rotate: {low: 0, high: 45}\nbatch_size: {low: 16, high: 512}")
    with pytest.raises(UsageError, match="--sampler grid: 22,862 combinations are more than 10,000: shorten the lists"):
        resolve_study(SearchOptions(space=space, sampler="grid"))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"objectives": ("speed",)}, "--objective: 'speed' is not one of"),
        ({"objectives": ("parameters",)}, "cost alone needs no training"),
        ({"objectives": ("loss", "loss")}, "name each --objective once"),
        ({"objectives": ("loss", "parameters"), "pruner": "hyperband"}, "several objectives cannot be pruned by"),
        ({"sampler": "nsga2"}, "nsga2 trades several objectives off"),
        ({"pruner": "wilcoxon"}, "take wilcoxon with --folds"),
        ({"folds": 3, "pruner": "hyperband"}, "take wilcoxon with --folds"),
        ({"folds": 1}, "--folds: 1 must be 2 or more"),
        ({"sampler": "grid"}, "--sampler grid: optimizer.lr needs a step, or a list of values"),
        ({"storage": "mysql://me:secret@host/trials"}, "--storage: leave the password out of the URL"),
        ({"trials": 0}, "--trials: must be 1 or more"),
        ({"cpus_per_task": 1}, "are for --ray ADDRESS"),
    ],
)
def test_options_that_make_no_sense_are_told(options, message):
    with pytest.raises(UsageError, match=message) as error:
        resolve_study(SearchOptions(**options))
    assert "\n" not in str(error.value)


def test_what_a_study_can_be_continued_with():
    begun = resolve_study(SearchOptions(trials=4))
    assert not begun.differences(resolve_study(SearchOptions(trials=9, top=1, seeds=2, confirm_epochs=3)))
    other = resolve_study(SearchOptions(seed=1, sampler="random", recipe_settings=parse_settings(["epochs=3"])))
    assert begun.differences(other) == ["sampler: tpe, random", "seed: 0, 1", "recipe.epochs: 8, 3"]


def test_another_space_is_told_by_its_settings(write):
    other = resolve_study(SearchOptions(space=write("optimizer.lr: {low: 1e-3, high: 3e-2, log: true}")))
    (difference,) = resolve_study(SearchOptions()).differences(other)
    assert difference == "space: it differs in augment.erase, augment.rotate, augment.shift and more"


@pytest.mark.parametrize(("text", "seconds"), [("90", 90), ("90s", 90), ("30m", 1800), ("2h", 7200), ("0.5D", 43200)])
def test_times(text, seconds):
    assert parse_duration(text) == seconds


@pytest.mark.parametrize("text", ["", "h", "-1h", "nan", "two", "inf"])
def test_no_times(text):
    with pytest.raises(UsageError, match="write it as 90s, 30m or 2h"):
        parse_duration(text)


def test_limits():
    read = parse_limits(["parameters=100k", "multiply-adds = 20M", "ms=2.5"])
    assert read == {"parameters": 100_000, "multiply-adds": 20_000_000, "ms": 2.5}


@pytest.mark.parametrize("text", ["parameters", "params=3", "ms=-1", "ms=quick", "ms=nan"])
def test_no_limits(text):
    with pytest.raises(UsageError, match=f"--limit {text}"):
        parse_limits([text])


def test_a_space_that_is_shown_can_be_read(write):
    shown = dump_space(load_catalogue()["bah-resnet"].spaces["architecture"])
    config = resolve_study(SearchOptions(model="bah-resnet", space=write(shown)))
    assert config.parsed_space.dimensions == find_space("architecture", config.run).dimensions
