"""The ensemble: trees, and beside them a straight line where it helps; both add up in log-odds."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import lightgbm as lgb
import numpy as np
import numpy.typing as npt

from training.linear import Linear
from training.shapley import Trees

Float64 = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Ensemble:
    """``share`` of the margin is the straight line's, the rest the trees'."""

    booster: lgb.Booster
    linear: Linear | None = None
    share: float = 0.0

    def margin(self, matrix: Float64) -> Float64:
        """Return the log-odds of encoded rows, shape ``(n,)``."""
        trees = margin_of(self.booster, matrix)
        if self.linear is None:
            return trees
        margin: Float64 = (1.0 - self.share) * trees + self.share * self.linear.margin(matrix)
        return margin

    def contributions(self, matrix: Float64) -> tuple[Float64, float]:
        """Return what each signal adds to the margins of at least one row, and their base.

        Shape ``(n, n_signals)``; a row's add up to its margin less the base. Of trees they are
        exact TreeSHAP, of the line its terms above their average.

        Source: Lundberg et al., From local explanations to global understanding with explainable
        AI for trees, 2020.
        """
        trees, base = self._of_trees(matrix)
        if self.linear is None:
            return trees, base
        line = self.linear.contributions(matrix)
        return (
            (1.0 - self.share) * trees + self.share * line,
            (1.0 - self.share) * base + self.share * self.linear.base,
        )

    @cached_property
    def trees(self) -> Trees | None:
        """The trees with what explains them, ``None`` where they are too deep for that."""
        return Trees.of(self.booster)

    def _of_trees(self, matrix: Float64) -> tuple[Float64, float]:
        if self.trees is not None:
            return self.trees.contributions(matrix), self.trees.base
        shap = np.asarray(self.booster.predict(matrix, pred_contrib=True, num_threads=1))
        return shap[:, :-1], float(shap[0, -1])


def margin_of(booster: lgb.Booster, matrix: Float64) -> Float64:
    """Return the trees' margins (log-odds) of encoded rows, shape ``(n,)``."""
    margin = booster.predict(matrix, raw_score=True, num_threads=1)
    return np.asarray(margin, dtype=np.float64)


def merged(boosters: Sequence[lgb.Booster]) -> lgb.Booster:
    """Return one booster whose margin is the mean of the boosters' margins."""
    if len(boosters) == 1:
        return boosters[0]
    trees = []
    for booster in boosters:
        text, tail = booster.model_to_string().split("end of trees", 1)
        head, *own = re.split(r"(?=^Tree=\d+$)", text, flags=re.MULTILINE)
        trees += own
    numbered = [re.sub(r"^Tree=\d+", f"Tree={i}", tree) for i, tree in enumerate(trees)]
    sizes = " ".join(str(len(tree.encode())) for tree in numbered)
    head = re.sub(r"^tree_sizes=.*$", f"tree_sizes={sizes}", head, flags=re.MULTILINE)
    whole = lgb.Booster(model_str=f"{head}{''.join(numbered)}end of trees{tail}")
    for i in range(whole.num_trees()):
        for leaf in range(_leaves(trees[i])):
            value = whole.get_leaf_output(i, leaf)
            whole.set_leaf_output(i, leaf, value / len(boosters))
    return whole


def _leaves(tree: str) -> int:
    found = re.search(r"^num_leaves=(\d+)$", tree, flags=re.MULTILINE)
    return int(found[1]) if found else 0
