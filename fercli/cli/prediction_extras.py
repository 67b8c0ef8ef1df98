"""What `fer predict` draws besides its rows: marked copies, explanations, the report page."""

from pathlib import Path
from typing import TYPE_CHECKING

from fercli.cli import console

if TYPE_CHECKING:
    from fercli.faces.io.sources import Source
    from fercli.models.loaded import Model
    from fercli.workflows.predict.job import Stages
    from fercli.workflows.predict.job_file import JobFile
    from fercli.workflows.predict.report import Report


class Extras:
    """The copies, heat maps and page that are asked for, planned before anything is computed. `done` are the sources
    that an earlier start of the job has in its `file`.

    Raises UsageError, or MachineError for a library that is missing, where one of them must not or cannot be written.
    """

    def __init__(
        self,
        sources: "list[Source]",
        annotate: Path | None,
        explain: Path | None,
        report: Path | None,
        force: bool,
        file: "JobFile | None",
        done: "list[Source]",
    ) -> None:
        from fercli.core.errors import UsageError
        from fercli.workflows.predict.copies import plan_copies
        from fercli.workflows.predict.explain import plan_explanations
        from fercli.workflows.predict.report import plan_report

        self._annotate, self._explain, self._report = annotate, explain, report
        if annotate and explain and annotate.resolve() == explain.resolve():
            raise UsageError(f"--annotate and --explain name one folder, {annotate}: their pictures need two")
        since = file.since if file and done else None
        if report:
            plan_report(report, force, since)
        self._copies = plan_copies(sources, annotate, force, done=done, since=since) if annotate else None
        self._stems = plan_explanations(sources, explain, force, done=done, since=since) if explain else None
        self._page: Report | None = None

    @property
    def asked_for(self) -> bool:
        """Whether there is anything besides the rows."""
        return bool(self._annotate or self._explain or self._report)

    def stages(self, network: "Model", file: "JobFile | None", **settings: float) -> "Stages":
        """The job's stages with these among them. Raises ModelError for a network that cannot be explained."""
        from fercli.workflows.predict.explain import Explanations
        from fercli.workflows.predict.job import Stages
        from fercli.workflows.predict.report import Report

        explanations = None
        if self._stems is not None:
            from fercli.models.explain import Explainer

            explanations = Explanations(Explainer(network), self._stems)
        if self._report:
            self._page = Report(network.classes)
            self._page.recall(file.earlier() if file else ())
        return Stages(copies=self._copies, explanations=explanations, report=self._page, **settings)

    def finish(self, network: "Model", faces: int, found: str) -> None:
        """Write the page and say where everything lies. `faces` is their number, `found` how they were."""
        if self._copies and any(copy.exists() for copy in self._copies.values()):
            console.note(f"annotated copies in {self._annotate}")
        if self._explain and faces:
            console.note(f"explanations in {self._explain}")
        if self._report and self._page:
            from fercli.workflows.predict.report_page import made_by, write_report

            write_report(self._report, self._page, made_by(network, found))
            console.note(f"report in {self._report}")
