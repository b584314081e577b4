"""Shapley values of trees: what each signal adds to a row's margin, exactly, looked up in tables.

What a leaf adds to a row depends only on which of the signals on its path the row agrees with.
For each leaf and each set of them it is computed once. A row then asks every split, and adds up
one line of a table for each leaf. ``Trees.of`` gives up where deep trees make the tables too large.

Sources: Lundberg et al., From local explanations to global understanding with explainable AI for
trees, 2020; Yang, Fast TreeSHAP: accelerating SHAP value computation for trees, 2021 (the tables).
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import lightgbm as lgb
import numpy as np
import numpy.typing as npt
from numba import njit

from features.arrays import COMPILED
from features.errors import ModelError

Float64 = npt.NDArray[np.float64]
Int64 = npt.NDArray[np.int64]
Int32 = npt.NDArray[np.int32]
UInt8 = npt.NDArray[np.uint8]

MOST = 4_000_000
"""Numbers that the tables of an ensemble hold at most: 32 MB."""
TINY = float(np.float32(1e-35))
"""LightGBM takes what is as near to zero for zero."""
NOT_TOLD, ZERO, NAN = range(3)
MISSING = {"None": NOT_TOLD, "Zero": ZERO, "NaN": NAN}


class Splits(NamedTuple):
    """The splits of all trees: a row goes left where its ``signal`` is at most ``threshold``.

    A split by category has ``members[start:end]`` instead, one for each code that goes left.
    What is missing, by ``missing``, goes left where ``missing_left`` says so.
    """

    signal: Int64
    threshold: Float64
    missing: UInt8
    missing_left: UInt8
    start: Int64
    end: Int64
    members: UInt8


class Leaves(NamedTuple):
    """The leaves of all trees.

    The path to leaf ``l`` are the steps ``step[l]:step[l + 1]``: by which ``split``, whether to the
    ``left``, and for which of the leaf's signals, as a ``bit``. Its signals are
    ``signals[signal[l]:signal[l + 1]]``, and for each set of them that a row agrees with ``table``
    has one number each, from ``line[l]`` on.
    """

    step: Int64
    split: Int32
    left: UInt8
    bit: Int32
    signal: Int64
    signals: Int32
    line: Int64
    table: Float64


@dataclass(frozen=True, slots=True)
class Trees:
    """The trees of an ensemble; ``base`` is their mean margin over the rows they learned from."""

    splits: Splits
    leaves: Leaves
    base: float
    n_signals: int

    @classmethod
    def of(cls, booster: lgb.Booster) -> "Trees | None":
        """Return the trees of a booster, ``None`` where their tables would be too large."""
        read = _Read()
        for tree in booster.dump_model()["tree_info"]:
            read.walk(tree["tree_structure"], ())
        return read.trees(booster.num_feature()) if read.size <= MOST else None

    def contributions(self, matrix: Float64) -> Float64:
        """Return what each signal adds to the margins of rows, shape ``(n, n_signals)``.

        A row's add up to its margin less the base.

        Raises:
            ModelError: the rows are not of this model's signals.
        """
        if matrix.ndim != 2 or matrix.shape[1] != self.n_signals:
            raise ModelError(
                "rows to explain",
                f"the shape {matrix.shape}",
                f"(n, {self.n_signals})",
                "Encode them by the bundle that explains them.",
            )
        found = np.zeros(matrix.shape)
        left = np.empty(len(self.splits.signal), dtype=np.uint8)
        _contribute(np.ascontiguousarray(matrix), self.splits, self.leaves, left, found)
        return found


class Step(NamedTuple):
    """A step down a tree: by which split, of which signal, to which side, and what share of the
    rows at the split went there."""

    split: int
    signal: int
    left: bool
    share: float


@dataclass(slots=True)
class _Read:
    """What is read of LightGBM's own description of its trees."""

    splits: list[tuple[int, float, int, bool, int, int]] = field(default_factory=list)
    members: list[int] = field(default_factory=list)
    leaves: list[tuple[float, tuple[Step, ...]]] = field(default_factory=list)
    size: int = 0

    def walk(self, node: Mapping[str, Any], path: tuple[Step, ...]) -> None:
        """Read a node and what is below it."""
        if "split_feature" not in node:
            self.leaves.append((node["leaf_value"], path))
            n = len({step.signal for step in path})
            self.size += n << n
            return
        split, signal = len(self.splits), node["split_feature"]
        self._split(node)
        for left, side in ((True, "left_child"), (False, "right_child")):
            child = node[side]
            count = child["internal_count"] if "split_feature" in child else child["leaf_count"]
            step = Step(split, signal, left, count / node["internal_count"])
            self.walk(child, (*path, step))

    def _split(self, node: Mapping[str, Any]) -> None:
        start = len(self.members)
        threshold, missing = math.nan, MISSING[node["missing_type"]]
        if node["decision_type"] == "==":
            codes = {int(code) for code in node["threshold"].split("||")}
            self.members += [code in codes for code in range(max(codes) + 1)]
        else:
            threshold = node["threshold"]
        told = (threshold, missing, node["default_left"], start, len(self.members))
        self.splits.append((node["split_feature"], *told))

    def trees(self, n_signals: int) -> Trees:
        """Return the trees, with their tables."""
        splits = Splits(
            _column(self.splits, 0, np.int64),
            _column(self.splits, 1, np.float64),
            _column(self.splits, 2, np.uint8),
            _column(self.splits, 3, np.uint8),
            _column(self.splits, 4, np.int64),
            _column(self.splits, 5, np.int64),
            np.array(self.members, dtype=np.uint8),
        )
        table, base, at = np.zeros(self.size), 0.0, 0
        ends: list[tuple[int, int, int]] = [(0, 0, 0)]
        steps: list[tuple[int, bool, int]] = []
        signals: list[int] = []
        for value, path in self.leaves:
            own = list(dict.fromkeys(step.signal for step in path))
            share = np.ones(len(own))
            for step in path:
                place = own.index(step.signal)
                share[place] *= step.share
                steps.append((step.split, step.left, 1 << place))
            _fill(value, share, table[at:])
            at += len(own) << len(own)
            base += value * math.prod(share.tolist())
            signals += own
            ends.append((len(steps), len(signals), at))
        to_step, to_signal, line = (_column(ends, k, np.int64) for k in range(3))
        leaves = Leaves(
            to_step,
            _column(steps, 0, np.int32),
            _column(steps, 1, np.uint8),
            _column(steps, 2, np.int32),
            to_signal,
            np.array(signals, dtype=np.int32),
            line,
            table,
        )
        return Trees(splits, leaves, base, n_signals)


def _column(rows: Sequence[tuple[Any, ...]], k: int, dtype: npt.DTypeLike) -> npt.NDArray[Any]:
    return np.array([row[k] for row in rows], dtype=dtype)


@njit(cache=True, nogil=True)
def _fill(value: float, share: Float64, table: Float64) -> None:
    """Write what a leaf adds by each of its signals, for each set that a row agrees with.

    With a set of the signals known, a row reaches the leaf with the product of the ``share`` of
    those that are not known, if it agrees with all that are. A signal's Shapley value is the mean,
    over all orders of making them known, of what it changes when its turn comes.
    """
    n = len(share)
    weight = np.empty(n)  # of the sets of a size that come before a signal
    for size in range(n):
        weight[size] = math.gamma(size + 1.0) * math.gamma(n - size) / math.gamma(n + 1.0)
    by_size = np.empty(n + 1)
    for agreed in range(1 << n):
        other = value
        for k in range(n):
            if not agreed >> k & 1:
                other *= share[k]
        for k in range(n):
            mine = agreed >> k & 1
            # The sums, by the size of the sets known before, of the products of what is not known.
            by_size[:] = 0.0
            by_size[0] = 1.0
            for j in range(n):
                if agreed >> j & 1 and j != k:
                    for size in range(n, 0, -1):
                        by_size[size] = by_size[size] * share[j] + by_size[size - 1]
                    by_size[0] *= share[j]
            reached = 0.0
            for size in range(n):
                reached += weight[size] * by_size[size]
            table[agreed * n + k] = other * reached * ((1.0 - share[k]) if mine else -1.0)


@njit(cache=True, **COMPILED)
def _contribute(
    matrix: Float64, splits: Splits, leaves: Leaves, left: UInt8, found: Float64
) -> None:
    for i in range(len(matrix)):
        for k in range(len(left)):
            left[k] = _goes_left(matrix[i, splits.signal[k]], splits, k)
        for leaf in range(len(leaves.line) - 1):
            first, last = leaves.signal[leaf], leaves.signal[leaf + 1]
            differs = 0
            for s in range(leaves.step[leaf], leaves.step[leaf + 1]):
                # Without a branch, which nobody could predict.
                differs |= leaves.bit[s] * (left[leaves.split[s]] ^ leaves.left[s])
            n = last - first
            line = leaves.line[leaf] + ((1 << n) - 1 - differs) * n
            for k in range(n):
                found[i, leaves.signals[first + k]] += leaves.table[line + k]


@njit(cache=True, **COMPILED)
def _goes_left(value: float, splits: Splits, k: int) -> bool:
    """Decide as LightGBM does."""
    if splits.end[k] > splits.start[k]:
        if not value > -1.0:  # what is missing, too
            return False
        n = splits.end[k] - splits.start[k]
        return bool(value < n and splits.members[splits.start[k] + int(value)] == 1)
    missing = splits.missing[k]
    if abs(value) <= TINY:
        value = 0.0
    if math.isnan(value):
        if missing == NAN:
            return bool(splits.missing_left[k] == 1)
        value = 0.0
    if missing == ZERO and value == 0.0:
        return bool(splits.missing_left[k] == 1)
    return bool(value <= splits.threshold[k])
