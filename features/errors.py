"""The one family of errors that people see, and what they may say."""

import re
from difflib import get_close_matches


class RapportError(Exception):
    """Something from outside is wrong: what it is, the value got, the value wanted, the remedy.

    >>> print(RapportError("window", "-3d", "a positive number of days", "Write 3d."))
    window: got -3d; wanted a positive number of days. Write 3d.
    """

    def __init__(self, subject: str, got: object, wanted: str, remedy: str) -> None:
        self.subject, self.got, self.wanted, self.remedy = subject, got, wanted, remedy
        super().__init__(f"{subject}: got {got}; wanted {wanted}. {remedy}")


class SettingsError(RapportError):
    """The settings file is malformed or asks for something that does not exist."""


class SourceError(RapportError):
    """A source table cannot be read as interactions, attributes or offers."""


class InteractionError(RapportError):
    """One interaction is wrong; the others of its batch are not."""


class DeclarationError(RapportError):
    """A signal is declared in a way that has no meaning."""


class ContractError(RapportError):
    """A model was trained on signals that this code would compute differently."""


class DataError(RapportError):
    """The data cannot carry the model asked for: too few rows, no positives, too short."""


class RequestError(RapportError):
    """A request asks for what there is not, such as an offer that is none of the catalogue."""


class ModelError(RapportError):
    """A model cannot be found, read or trusted."""


def nearest(name: str, known: list[str]) -> str:
    """Return a remedy that names the closest known name, or lists them all.

    >>> nearest("chanel", ["channel", "topic"])
    "Did you mean 'channel'? Known: channel, topic."
    """
    close = get_close_matches(name, known, n=1)
    hint = f"Did you mean '{close[0]}'? " if close else ""
    return f"{hint}Known: {', '.join(known)}."


def redacted(text: str) -> str:
    """Return a text without the users, passwords and queries of the URLs in it.

    >>> redacted("request to http://bob:p@ss/w@db:5000/api?key=x failed")
    'request to http://db:5000/api failed'
    """
    return re.sub(r"(://[^\s?]*)\?\S*", r"\1", re.sub(r"://\S*@", "://", text))
