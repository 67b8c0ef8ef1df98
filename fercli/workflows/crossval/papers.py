"""The overall accuracies with which Li & Lima 2021 and Li 2021 compare: percent, mean ± sample deviation.

Source: doi 10.1016/j.ijcce.2021.02.002 and EAI 8-4-2021.169180, ten runs of ten folds on 700 private photographs.
"""

from fercli.core.labels import EXPRESSIONS

PAPERS = (
    ("HWT", 78.37, 1.50),
    ("HOS", 83.43, 2.15),
    ("PCA + SVM", 89.14, 2.91),
    ("CSO", 89.49, 0.76),
    ("BBO", 93.79, 1.24),
    ("ResNet-50 (Li & Lima)", 95.39, 1.41),
    ("ResNet-101, transfer (Li)", 96.29, 0.78),
)

REMARK = (
    "the papers measured on 700 posed photographs of 20 people that are not public: the data differ, so these figures "
    "say nothing about which method is better"
)


def comparable(classes: tuple[str, ...]) -> bool:
    """Whether a set has the papers' seven expressions, in whatever order."""
    return set(classes) == set(EXPRESSIONS)
