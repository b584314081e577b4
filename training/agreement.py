"""Agreement: whether a model was trained by what the settings say of interactions now."""

from features.errors import ContractError
from features.settings import Settings
from training.bundle import Bundle


def differences(settings: Settings, bundle: Bundle) -> list[str]:
    """Return where the settings say otherwise than when a bundle was trained, in words.

    The time zone in which times are read, and the kinds of each role that its signals use: by
    others the same signal would have another value.
    """
    found, plan = [], bundle.plan
    if (zone := settings.project.timezone) != plan.timezone:
        found.append(f"time zone {zone}, not {plan.timezone}")
    for role, kinds in plan.roles.items():
        if set(now := settings.roles.kinds(role)) != set(kinds):
            found.append(f"role {role} {_listed(now)}, not {_listed(kinds)}")
    return found


def require_agreement(settings: Settings, name: str, bundle: Bundle) -> None:
    """Refuse a model by which today's interactions would be read as it never learned to.

    Args:
        settings: those of now.
        name: what the model is called, with its version.
        bundle: the model.

    Raises:
        ContractError: the settings say otherwise than when it was trained.
    """
    if found := differences(settings, bundle):
        raise ContractError(
            f"model {name}",
            f"other settings than it was trained by: {'; '.join(found)}",
            "a model trained by the settings of now",
            f"Train again with `python -m training main --settings {settings.path}`, or take the "
            "change back; what runs reads its settings when it is started again.",
        )


def _listed(kinds: tuple[str, ...]) -> str:
    return " and ".join(kinds) or "empty"
