"""The list of mutations is current: each text that is mutated is there, once or more."""

import tomllib

from tests.readme import ROOT


def test_every_text_to_mutate_is_found() -> None:
    listed = tomllib.loads((ROOT / "tests" / "mutations.toml").read_text(encoding="utf-8"))
    (mutations,) = (entries for entries in listed.values() if isinstance(entries, list))
    lost = [m["what"] for m in mutations if m["old"] not in (ROOT / m["file"]).read_text()]
    assert len(mutations) >= 10
    assert not lost
