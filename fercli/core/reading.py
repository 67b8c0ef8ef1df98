"""How a face set is to be read, beside where it lies: whose labels, who is who, faces still to be found."""

from typing import Literal

from fercli.core.recipe import Settings


class Reading(Settings):
    """What `--labels`, `--keep-contempt`, `--subject-pattern`, `--subjects` and `--detect` say."""

    #: FER2013's own labels, or those that the ten votes of FER+ give: by the majority of its authors, by the most votes
    #: there are, or with the votes' shares as targets; mixed are its own labels with targets that are half the label
    #: and half the votes
    labels: Literal["own", "ferplus", "ferplus-plurality", "ferplus-soft", "ferplus-mixed"] = "own"
    #: whether FER+'s eighth class stays
    keep_contempt: bool = False
    #: a regular expression that finds the subject in a face's id: its group, the one named 'subject' where several
    subject_pattern: str | None = None
    #: a csv file with the columns file, subject and label, the last two each optional
    subjects: str | None = None
    #: whether pictures are photographs in which MTCNN has to find the face first
    detect: bool = False
