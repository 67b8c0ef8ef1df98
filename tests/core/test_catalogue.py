"""The schema of models.yaml: what it takes, what it refuses, and how it says so."""

import copy

import pytest

from fercli.core.catalogue_document import parse_catalogue
from fercli.core.errors import ModelError
from fercli.core.recipe import merge_settings
from fercli.models.catalogue import load_catalogue

RECIPE = {"epochs": 3, "batch_size": 8, "optimizer": {"name": "adam", "lr": "1e-3"}}
ENTRY = {
    "summary": "a network",
    "architecture": "xu-rescnn",
    "parameters": {"trainable": 1, "total": 2},
    "multiply_adds": 3,
    "source": {"cite": "Nobody 2020"},
    "recipes": {"paper": RECIPE, "best": "shared"},
}
DOCUMENT = {"version": 1, "default": "net", "recipes": {"shared": RECIPE}, "models": {"net": ENTRY}}


def changed(**changes: object) -> dict[str, object]:
    """The document with one entry's keys changed."""
    document = copy.deepcopy(DOCUMENT)
    document["models"]["net"].update(changes)
    return document


def test_text_that_yaml_leaves_of_1e_3_becomes_the_number():
    catalogue = parse_catalogue(DOCUMENT, "here")
    assert catalogue.recipe("net", "best").optimizer.lr == 0.001


def test_a_recipe_takes_a_shared_one_as_base_and_changes_only_what_differs():
    best = {"base": "shared", "optimizer": {"lr": 0.5}}
    recipe = parse_catalogue(changed(recipes={"paper": RECIPE, "best": best}), "here").recipe("net", "best")
    assert (recipe.optimizer.name, recipe.optimizer.lr, recipe.epochs) == ("adam", 0.5, 3)


def test_every_fault_is_listed_with_its_location():
    document = changed(sumary="typo", parameters={"trainable": 0, "total": 2})
    document["default"] = 7
    with pytest.raises(ModelError) as error:
        parse_catalogue(document, "here.yaml")
    text = str(error.value)
    assert "here.yaml has 3 faults" in text
    for location in ("models.net.sumary", "models.net.parameters.trainable", "default"):
        assert location in text


def test_an_unknown_shared_recipe_is_named_with_the_nearest():
    with pytest.raises(ModelError, match=r"models.net.recipes.best: no shared recipe 'sharde': did you mean shared\?"):
        parse_catalogue(changed(recipes={"paper": RECIPE, "best": "sharde"}), "here")


@pytest.mark.parametrize(
    ("recipes", "location"),
    [
        ("text", "recipes: must be a mapping"),
        ({"shared": "text"}, r"recipes\.shared"),
        ({"shared": RECIPE, "unused": {**RECIPE, "epochz": 3}}, r"recipes\.unused\.epochz"),
    ],
)
def test_shared_recipes_are_checked_whether_used_or_not(recipes, location):
    with pytest.raises(ModelError, match=location):
        parse_catalogue({**DOCUMENT, "recipes": recipes}, "here")


def test_an_entry_needs_both_recipes():
    with pytest.raises(ModelError, match="lacks the recipe best"):
        parse_catalogue(changed(recipes={"paper": RECIPE}), "here")
    claimed = [{"data": "fer2013", "accuracy": 70}]
    with pytest.raises(ModelError, match="lacks the recipe paper"):
        parse_catalogue(changed(recipes={"best": RECIPE}, claims=claimed), "here")


def test_a_network_that_no_paper_trained_on_faces_needs_no_paper_recipe():
    catalogue = parse_catalogue(changed(recipes={"best": RECIPE}), "here")
    (entry,) = catalogue.models.values()
    assert entry.remark(entry.recipes["best"]) == ""
    (name,) = catalogue.models
    with pytest.raises(ModelError, match="best"):
        catalogue.recipe(name, "paper")


def test_only_papers_that_name_pretraining_are_departed_from_without_it():
    catalogue = load_catalogue()
    starts = {name: catalogue.recipe(name, "paper").pretrained for name in ("li-resnet50", "li-resnet101")}
    assert starts == {"li-resnet50": "none", "li-resnet101": "imagenet"}
    assert catalogue.recipe("li-resnet50", "paper-imagenet").pretrained == "imagenet"
    for name, remark in (("li-resnet50", ""), ("li-resnet101", "without ImageNet weights, not the paper's set-up")):
        entry = catalogue[name]
        assert entry.remark(entry.recipes["quick"]) == remark


@pytest.mark.parametrize("document", [None, [], "text", 3])
def test_what_is_no_mapping_is_no_catalogue(document):
    with pytest.raises(ModelError, match="is not a catalogue"):
        parse_catalogue(document, "here")


def test_a_default_that_is_not_among_the_models_is_refused():
    with pytest.raises(ModelError, match="default 'nte' is not among"):
        parse_catalogue({**DOCUMENT, "default": "nte"}, "here")


def test_weights_are_used_of_the_model_that_is_trained_unless_another_is_named():
    assert parse_catalogue(DOCUMENT, "here").shipped == "net"
    shipping = {**DOCUMENT, "models": {"net": ENTRY, "other": {**ENTRY, "weights": "other.safetensors"}}}
    assert parse_catalogue({**shipping, "default_weights": "other"}, "here").shipped == "other"


@pytest.mark.parametrize(("name", "why"), [("nte", "default 'nte' is not among"), ("net", "no weights ship for 'net'")])
def test_default_weights_that_do_not_ship_are_refused(name, why):
    with pytest.raises(ModelError, match=why):
        parse_catalogue({**DOCUMENT, "default_weights": name}, "here")


ENSEMBLE = {
    "models": ["net", "other"],
    "temperature": {"single": 1, "mirrored": "9e-1"},
    "data": "fer2013",
    "split": "val",
    "command": "fit",
}


def with_ensembles(*ensembles: object, **changes: object) -> dict[str, object]:
    """The document with two networks that ship, and ensembles."""
    entry = {**ENTRY, "weights": "net.safetensors"}
    return {**DOCUMENT, "models": {"net": entry, "other": {**entry, **changes}}, "ensembles": list(ensembles)}


def test_an_ensemble_is_found_by_its_models_in_any_order():
    catalogue = parse_catalogue(with_ensembles(ENSEMBLE), "here")
    assert catalogue.ensemble(["other", "net"]).temperature.mirrored == 0.9
    assert catalogue.ensemble(["net", "net"]) is catalogue.ensemble(["net"]) is None
    document = with_ensembles(ENSEMBLE)
    document["averages"] = document.pop("ensembles")  # what the key was called before
    assert parse_catalogue(document, "here") == catalogue


@pytest.mark.parametrize(
    ("document", "fault"),
    [
        (with_ensembles({**ENSEMBLE, "models": ["net", "nets"]}), "names 'nets', of which no weights ship"),
        (with_ensembles(ENSEMBLE, weights=None), "names 'other', of which no weights ship"),
        (with_ensembles(ENSEMBLE, {**ENSEMBLE, "models": ["other", "net"]}), "stands twice"),
        (with_ensembles({**ENSEMBLE, "models": ["net"]}), r"ensembles\.0\.models"),
        (
            with_ensembles({**ENSEMBLE, "temperature": {"single": 0, "mirrored": 1}}),
            r"0\.temperature\.single",
        ),
    ],
)
def test_ensembles_are_checked(document, fault):
    with pytest.raises(ModelError, match=fault):
        parse_catalogue(document, "here")


def test_unknown_names_suggest_the_nearest():
    catalogue = parse_catalogue(DOCUMENT, "here")
    with pytest.raises(ModelError, match=r"no model 'nett': did you mean net\?"):
        catalogue["nett"]
    with pytest.raises(ModelError, match=r"net has no recipe 'bets': did you mean best\?"):
        catalogue.recipe("net", "bets")


def test_merging_keeps_what_is_not_named():
    assert merge_settings({"a": {"b": 1, "c": 2}, "d": 3}, {"a": {"b": 9}}) == {"a": {"b": 9, "c": 2}, "d": 3}


def test_a_catalogue_made_before_is_read_by_its_old_names():
    document = changed(recipes={"best": {"base": "shared", "keep": "lowest-loss"}})
    document["recipes"] = {"shared": {**RECIPE, "average": 0.9, "schedule": {"name": "plateau", "floor": 0.1}}}
    recipe = parse_catalogue(document, "here").recipe("net", "best")
    assert (recipe.ema_decay, recipe.schedule.min_lr, recipe.checkpoint_metric) == (0.9, 0.1, "loss")
    document["models"]["net"]["recipes"]["best"]["ema_decay"] = 0.5
    document["models"]["net"]["recipes"]["best"]["average"] = 0.5
    with pytest.raises(ModelError, match=r"models\.net\.recipes\.best: 'average' is called 'ema_decay' now"):
        parse_catalogue(document, "here")


LICENCE = {"name": "MIT", "file": "LICENSE", "data": ["fer2013"]}


def test_a_licence_says_what_it_grants_and_what_it_leaves_open():
    entry = parse_catalogue(changed(weights="net.safetensors", licence=LICENCE), "here")["net"]
    assert entry.licence.statement.startswith("MIT (LICENSE). It covers what we can grant.")
    assert "trained on fer2013, whose pictures" in entry.licence.statement
    plain = parse_catalogue(changed(weights="x.safetensors", licence={**LICENCE, "data": []}), "here")["net"]
    assert plain.licence.statement == "MIT (LICENSE)"


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"licence": LICENCE}, "has a licence of weights, and no weights ship"),
        ({"weights": "x.safetensors", "licence": {"name": "MIT"}}, r"licence\.file"),
        ({"weights": "x.safetensors", "licence": {**LICENCE, "name": "see the file"}}, r"licence\.name"),
        ({"weights": "x.safetensors", "licence": {**LICENCE, "terms": "none"}}, r"licence\.terms"),
    ],
)
def test_licences_are_checked(changes, fault):
    with pytest.raises(ModelError, match=fault):
        parse_catalogue(changed(**changes), "here")


def test_the_detector_needs_a_name_of_its_own():
    detector = {"name": "net", "summary": "x", "source": {"cite": "y"}, "weights": "net", "licence": LICENCE}
    with pytest.raises(ModelError, match="the detector is called 'net', as one of the models is"):
        parse_catalogue({**DOCUMENT, "detector": detector}, "here")
    assert parse_catalogue({**DOCUMENT, "detector": {**detector, "name": "mtcnn"}}, "here").detector.name == "mtcnn"
