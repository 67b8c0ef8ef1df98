"""What a study found, as files: a table of the trials, plots, the best settings, and one page."""

import csv
import math
from collections.abc import Sequence
from pathlib import Path

import optuna
import yaml
from optuna.trial import FrozenTrial, TrialState

from fercli.core.catalogue import ModelEntry
from fercli.core.config import RunConfig
from fercli.core.files import write_json, write_text, written_whole
from fercli.models.catalogue import build, configured_entry, measure_cost
from fercli.workflows.search.confirm import Ranking
from fercli.workflows.search.page import write_page
from fercli.workflows.search.plots import draw_plots
from fercli.workflows.search.result import SearchResult, TrialRow
from fercli.workflows.search.sampling import quiet_optuna
from fercli.workflows.search.study import Study, StudyFolder, describe_failures, read_cost, read_settings
from fercli.workflows.train.settings import change_config

_STATES = {TrialState.COMPLETE: "complete", TrialState.PRUNED: "given up", TrialState.FAIL: "failed"}


def write_artefacts(folder: StudyFolder, study: Study, ranking: Ranking | None) -> SearchResult:
    """Write everything into the study's folder; search.json, which says that the study is complete, comes last."""
    trials, best = study.counted, study.best
    rows = tuple(_describe(study, trial) for trial in best)
    result = SearchResult(
        folder=folder.path,
        config=study.config,
        counts=_count(study),
        rows=rows,
        importance=_measure_importance(study),
        ranking=ranking,
        best=_choose_best(study, ranking),
        seconds=sum(float(trial.user_attrs.get("seconds", 0)) for trial in trials),
    )
    described = [_describe(study, trial) for trial in trials]
    _write_table(folder.table, study, described)
    write_text(folder.best, yaml.safe_dump(result.best.to_document(), sort_keys=False, allow_unicode=True))
    write_text(folder.entry, _dump_entry(result))
    plots = draw_plots(result, described)
    write_page(folder.report, result, plots, describe_failures(trials))
    write_json(folder.results, result.to_dict())
    return result


def _count(study: Study) -> dict[str, int]:
    counted = study.counted
    counts = {name: sum(trial.state == state for trial in counted) for state, name in _STATES.items()}
    return {"tried": len(counted), **counts, "over the limits": len(study.trials) - len(counted)}


def _describe(study: Study, trial: FrozenTrial) -> TrialRow:
    cost, facts = read_cost(trial), trial.user_attrs
    return TrialRow(
        trial.number,
        _STATES.get(trial.state, "running"),
        tuple(trial.values) if trial.state == TrialState.COMPLETE else (),
        int(facts.get("epochs", 0)),
        float(facts.get("seconds", 0)),
        cost.parameters,
        cost.multiply_adds,
        next(reversed(trial.intermediate_values.values()), None) if trial.state == TrialState.PRUNED else None,
        read_settings(study, trial),
    )


def _measure_importance(study: Study) -> dict[str, float]:
    """Each setting's importance for the first objective, the largest first; nothing where too few trials tell."""
    if len(study.best) < 4 and len(study.config.objectives) == 1:
        return {}
    target = (lambda trial: trial.values[0]) if len(study.config.objectives) > 1 else None
    with quiet_optuna():
        try:
            evaluator = optuna.importance.FanovaImportanceEvaluator(seed=study.config.run.seed)
            # not normalised: chance, and settings that act together, have their part of the spread too
            found = optuna.importance.get_param_importances(
                study.record, evaluator=evaluator, target=target, normalize=False
            )
        except (ValueError, RuntimeError):  # all trials alike, or no setting that all of them have
            return {}
    return {name: float(value) for name, value in found.items() if math.isfinite(value)}


def _choose_best(study: Study, ranking: Ranking | None) -> RunConfig:
    """The settings that `fer train --config` takes: those of the winner, else of the best trial."""
    winner = ranking.winner if ranking else None
    settings = winner.settings if winner else read_settings(study, study.best[0])
    changed = change_config(study.config.run, settings, "the best trial")
    recipe = changed.recipe.model_copy(update={"epochs": study.config.confirm_epochs or changed.recipe.epochs})
    return changed.model_copy(update={"recipe": recipe, "recipe_name": "found"})


def _write_table(path: Path, study: Study, rows: Sequence[TrialRow]) -> None:
    """All trials, in their order."""
    names = list(study.config.parsed_space.dimensions)
    with written_whole(path) as temporary, temporary.open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file, lineterminator="\n")
        facts = ["epochs", "seconds", "parameters", "multiply_adds"]
        table.writerow(["trial", "state", *study.config.objectives, *facts, *names])
        for row in rows:
            values = row.values or ("",) * len(study.config.objectives)
            costs = [row.epochs, round(row.seconds, 1), row.parameters, row.multiply_adds]
            table.writerow([row.number, row.state, *values, *costs, *(row.settings.get(name, "") for name in names)])


def _dump_entry(result: SearchResult) -> str:
    """An entry for models.yaml that has what was found."""
    config = result.best
    entry: ModelEntry = configured_entry(config.model, config.arguments)
    cost = measure_cost(entry)
    buffers = [name for name, _ in build(entry).named_buffers() if "running" in name]
    state = build(entry).state_dict()
    total = cost.parameters + sum(state[name].numel() for name in buffers)
    document = {
        f"{config.model}-found": {
            "summary": f"{config.model} as a search found it",
            "architecture": entry.architecture,
            "arguments": dict(entry.arguments),
            "input": entry.input.model_dump(),
            "bf16_on_cpu": entry.bf16_on_cpu,
            "imagenet": entry.imagenet,
            "parameters": {"trainable": cost.parameters, "total": total},
            "multiply_adds": cost.multiply_adds,
            "source": entry.source.model_dump(),
            "note": f"{result.counts['tried']} trials on {config.data}, by {' and '.join(result.config.objectives)}",
            "recipes": {"best": config.recipe.model_dump(mode="json", exclude_defaults=True)},
        }
    }
    head = "# An entry for models.yaml, under `models:`.\n"
    return head + yaml.safe_dump(document, sort_keys=False, allow_unicode=True, default_flow_style=None, width=110)
