"""Sessions: a browser that has shown a key opens pages for some hours, and nothing else."""

import hashlib
import hmac
from collections.abc import Iterable
from functools import cache

from itsdangerous import BadSignature, TimestampSigner
from starlette.types import Scope

COOKIE = "rapport-session"
SECONDS = 8 * 3600
"""How long a session lasts."""
OPENED = b"pages"


class Sessions:
    """Makes the cookies of sessions, and says which are good.

    A session is signed with what is derived from the key that opened it: every worker makes and
    takes the same ones, a restart ends none, and who takes a key away ends its sessions. What is
    signed names nobody.

    Args:
        keys: those that open pages.
    """

    def __init__(self, keys: Iterable[bytes]) -> None:
        self._signers = {key: _signer(key) for key in keys}

    def __bool__(self) -> bool:
        return bool(self._signers)

    def open(self, key: bytes) -> str | None:
        """Return the cookie of a new session, ``None`` where a key opens none.

        Every key is compared, for as long whichever matches.
        """
        found = [s for known, s in self._signers.items() if hmac.compare_digest(known, key)]
        return found[0].sign(OPENED).decode() if found else None

    def holds(self, scope: Scope) -> bool:
        """Whether a request has the cookie of a session: not old, and its key still opens."""
        cookie = _cookie(scope)
        return any([_signed(signer, cookie) for signer in self._signers.values()])


def _signed(signer: TimestampSigner, cookie: str) -> bool:
    try:
        return signer.unsign(cookie, max_age=SECONDS) == OPENED
    except BadSignature:
        return False


def _cookie(scope: Scope) -> str:
    for name, value in scope["headers"]:
        if name == b"cookie":
            for part in bytes(value).decode("latin-1").split(";"):
                own, _, cookie = part.strip().partition("=")
                if own == COOKIE:
                    return cookie
    return ""


@cache
def _signer(key: bytes) -> TimestampSigner:
    """Return what signs a key's sessions; slow to make, so that no cookie tells a weak key."""
    secret = hashlib.scrypt(key, salt=b"rapport session", n=2**14, r=8, p=1, dklen=32)
    return TimestampSigner(secret, OPENED, key_derivation="hmac", digest_method=hashlib.sha256)
