"""Explanations for notebooks: the effects that the service tells, as ``shap`` draws them."""

from typing import TYPE_CHECKING, Literal

import numpy as np

from features.errors import ModelError
from features.values import SignalValues
from training.bundle import Bundle

if TYPE_CHECKING:
    import shap

Scale = Literal["probability", "log-odds"]


def explanation(
    bundle: Bundle, values: SignalValues, scale: Scale = "probability"
) -> "shap.Explanation":
    """Return what each signal does to the scores of some rows, for ``shap.plots``.

    Args:
        bundle: the model.
        values: at least one row of its signals.
        scale: in probability points, as the service tells them, or in the model's log-odds. Either
            way a row adds up to its score: ``base_values + values.sum(axis=1)``.

    Returns:
        ``values`` and ``data`` of shape ``(n, n_signals)``; ``display_data`` has the categories as
        text.

    Raises:
        ModelError: the package ``shap`` is not installed.
    """
    try:
        import shap
    except ImportError as error:
        raise ModelError(
            "explanation", "no package 'shap'", "it installed", "Install '.[notebooks]'."
        ) from error
    matrix = bundle.encode(values)
    explained = bundle.explain(matrix)
    likely = scale == "probability"
    effects = explained.effects if likely else explained.contributions
    base = explained.baseline if likely else explained.base_margin
    shown = np.array([values.row(i) for i in range(len(values))], dtype=object)
    return shap.Explanation(
        values=effects,
        base_values=np.full(len(matrix), base),
        data=matrix,
        display_data=shown,
        feature_names=bundle.plan.names,
    )
