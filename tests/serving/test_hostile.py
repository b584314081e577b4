"""Hostile values: each is refused as documented or answered rightly, and nothing is lost."""

import io
import json
import logging
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest
from starlette.applications import Starlette
from starlette.routing import Mount
from starlette.testclient import TestClient

from features.settings import Settings
from serving.api import create_api
from serving.keys import Guard, Keys
from serving.limits import LARGEST_BODY, Limits
from serving.loading import load_scorer
from serving.logs import Lines, RequestLog
from serving.records import is_storable
from serving.store import Store

KEY = "hostile-0123456789abcdef"
EVENT = {"kind": "purchase", "occurred_at": "2023-11-01T12:00:00Z"}
TEXTS = {
    "empty": "",
    "blank": " ",
    "500 characters": "secret" + "i" * 494,
    "10,000 characters": "secret" + "i" * 9_994,
    "a million characters": "secret" + "i" * 999_994,
    "null byte": "secret\x00name",
    "half a pair": "secret\ud800",
    "other half": "\udfffsecret",
    "emoji": "secret" + "😀" * 50,
    "right to left": "\u202esecret\u202c",
    "combining": "secret Zoe\u0308",
    "composed": "secret Zo\u00eb",
    "no character": "secret\ufffe\uffff",
    "line breaks": "secret\r\nX-Injected: 1\n",
    "SQL": "secret'; DROP TABLE interactions; --",
    "pattern": "secret%' OR '%s' \\",
    "template": "secret{{7*7}}${7*7}%s%n{0}",
    "path": "../../secret",
}
# More than a server reads, or what no route of Starlette's takes for a part of a path.
UNNAMEABLE = ("a million characters", "line breaks", "path")
FIELDS = (
    *("customer_id", "interaction_id", "source", "channel", "topic", "case_id", "offer_id"),
    *("kind", "recorded_at"),
)
NUMBERS = (
    *("NaN", "Infinity", "-Infinity", "1e308", "-1e308", "1e309", "-1e309", "-0.0", "5e-324"),
    *("1e99999", "9" * 400, "0." + "0" * 5_000 + "1", "18446744073709551616"),
)
TIMES = (
    *("0001-01-01T00:00:00Z", "0001-01-01T00:00:00+14:00", "0001-01-01", "0000-01-01T00:00:00Z"),
    *("9999-12-31T23:59:59.999999Z", "9999-12-31T23:59:59-14:00", "9999-12-31", "10000-01-01"),
    *("2023-02-30", "2023-11-01T24:00:00Z", "2023-11-01T12:00:60Z", "2023-11-01T12:00:00+99:99"),
    *("\uff12023-11-01", "2023-11-01\x00", "2023-11-01T12:00:00.0000000001Z", "1" * 10_000),
)


class Front:
    """The API as it is served: behind its keys and limits, under its path, with its logs."""

    def __init__(self, client: TestClient, store: Store, log: Lines, out: io.StringIO) -> None:
        self.client, self._store, self._log, self._out = client, store, log, out
        self.sound = 0

    def ask(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        """Return the status and the answer, once it is known to be one that is documented.

        What is text is sent as it is, for there is JSON that Python does not write.
        """
        content = body if isinstance(body, str | bytes | None) else json.dumps(body)
        headers = {"Content-Type": "application/json"}
        answer = self.client.request(method, f"/v1{path}", content=content, headers=headers)
        known = {200, 400, 404, 405, 413, 422}
        shown = f"{method} {path[:60]} {str(body)[:200]} -> {answer.status_code}"
        assert answer.status_code in known, f"{shown} {answer.text[:300]}"
        assert answer.headers["content-type"] == "application/json", f"{shown} {answer.text[:300]}"
        told = json.loads(answer.content.decode(), parse_constant=_refuse)
        if answer.status_code != 200:
            assert set(told["error"]) == {"subject", "got", "wanted", "remedy"}, shown
            assert len(answer.content) < 2_000, shown
        return answer.status_code, told

    def record(self, item: dict[str, Any] | str) -> dict[str, Any] | None:
        """Record an item between two sound ones; return why it was rejected, if it was."""
        around = [
            json.dumps({**EVENT, "customer_id": "sound", "amount": float(self.sound + n)})
            for n in (0, 1)
        ]
        text = item if isinstance(item, str) else json.dumps(item)
        body = f'{{"interactions": [{around[0]}, {text}, {around[1]}]}}'
        status, told = self.ask("POST", "/interactions", body)
        assert status == 200, text[:200]
        self.sound += 2
        assert told["accepted"] + told["duplicates"] + len(told["rejected"]) == 3
        assert [r["index"] for r in told["rejected"]] in ([], [1]), text[:200]
        rejected: dict[str, Any] | None = told["rejected"][0] if told["rejected"] else None
        return rejected

    def held(self, customer: str) -> list[dict[str, Any]]:
        """Return the interactions that are held of a customer."""
        found: list[dict[str, Any]] = self._store.export(customer)["interactions"]
        return found

    def logged(self) -> str:
        """Return what the requests so far were logged as."""
        self._log.flush()
        return self._out.getvalue()


def _refuse(constant: str) -> None:
    raise AssertionError(f"{constant} is no JSON")


@pytest.fixture
def front(shop: Settings, empty: Store, caplog: pytest.LogCaptureFixture) -> Iterator[Front]:
    """An API over an empty store of either kind; in the end nothing is lost, and nobody named."""
    caplog.set_level(logging.DEBUG)
    api, out = create_api(), io.StringIO()
    api.state.scorer = load_scorer(shop, empty)
    log = Lines(out)
    keys = Keys({"admin": (KEY.encode(),)})
    app = RequestLog(Guard(Limits(Starlette(routes=[Mount("/v1", api)])), keys), log)
    with TestClient(app, headers={"Authorization": f"Bearer {KEY}"}) as client:
        made = Front(client, empty, log, out)
        yield made
        assert [item["amount"] for item in made.held("sound")] == list(range(made.sound))
    everything = made.logged() + "".join(
        record.getMessage() + str(record.exc_text or "")
        for record in caplog.records
        if not record.name.startswith(("httpx", "httpcore"))  # the client's own, not the service's
    )
    assert '"status": ' in everything
    assert "secret" not in everything
    assert "Traceback" not in everything


def test_a_text_in_any_field_is_recorded_as_it_is_or_rejected(front: Front) -> None:
    for name, text in TEXTS.items():
        for field in FIELDS:
            customer = text if field == "customer_id" else f"{name} {field}"
            told = front.record({**EVENT, "customer_id": customer, field: text})
            if told is None:
                (held,) = front.held(customer)
                assert field == "recorded_at" or held[field] == text, (name, field)
            else:
                assert told["field"] == field, (name, field)
                assert len(json.dumps(told)) < 1_000
                assert field == "customer_id" or front.held(customer) == []
        told = front.record({**EVENT, "customer_id": name, "numbers": {text: 1.0}})
        assert told is not None
        assert told["field"].startswith("numbers")


def test_a_text_names_a_customer_in_every_request(front: Front) -> None:
    for name, text in TEXTS.items():
        fits = 1 <= len(text) <= 500 and is_storable(text)
        status, told = front.ask("POST", "/churn", {"customers": ["sound", text]})
        assert status == (200 if fits else 422), name
        assert not fits or told["scores"][1]["status"] == "unknown"
        given = {"customer_id": text, "interactions": [EVENT], "attributes": {text: text}}
        status, told = front.ask("POST", "/churn", {"histories": [given]})
        assert status == (200 if fits else 422), name
        for asked in (
            {"customer_id": text},
            {"customer_id": "a", "channel": text},
            {"customer_id": "a", "offers": [text]},
        ):
            status, told = front.ask("POST", "/offers", asked)
            assert status in ((200, 422) if fits else (422,)), (name, asked)


def test_a_text_in_a_path_names_a_customer_or_nobody(front: Front) -> None:
    for name, text in TEXTS.items():
        if name in UNNAMEABLE:
            continue
        there = quote(text.encode("utf-8", "surrogatepass"), safe="")
        recorded = front.record({**EVENT, "customer_id": text}) is None
        for path in (f"/customers/{there}", f"/customers/{there}/export"):
            status, told = front.ask("GET", path)
            if recorded:
                assert status == 200, name
                assert told["customer_id"] == text
            else:
                assert status in (200, 404, 405, 422), name
        status, told = front.ask("DELETE", f"/customers/{there}")
        assert (status, told.get("interactions")) == (200, 1) or not recorded, name
        assert not recorded or front.record({**EVENT, "customer_id": text}) is not None


def test_bytes_in_a_path_that_are_no_text_name_nobody(front: Front) -> None:
    front.record({**EVENT, "customer_id": "a"})
    for there in (
        "%FF",
        "%C0%80",
        "%00",
        "a%00",
        "%ED%A0%80",
        "a%2Fb",
        ".",
        "..",
        "%2E",
        "a%20",
        "a%0A",
    ):
        for method, path in (("GET", ""), ("GET", "/export"), ("DELETE", "")):
            status, told = front.ask(method, f"/customers/{there}{path}")
            assert status != 200 or told.get("interactions") in (0, []), (there, method, path)
    assert front.ask("GET", "/customers/a%0Ab")[0] == 404
    assert len(front.held("a")) == 1


def test_a_query_is_a_small_number_or_refused(front: Front) -> None:
    front.record({**EVENT, "customer_id": "a"})
    hostile = ("NaN", "Infinity", "1e308", "-1", "9" * 400, "9" * 5_000, "", "%00", "%FF", "3.5")
    for name in ("timeline", "offers", "reasons"):
        for value in (*hostile, "٣", "0x3", "3%20", "1_0", "true", "[3]"):
            quoted = value if "%" in value else quote(value)
            status, _ = front.ask("GET", f"/customers/a?{name}={quoted}")
            assert status == 422 or value in ("3%20", "1_0", "٣"), value
        assert front.ask("GET", f"/customers/a?{name}=1&{name}=secret")[0] == 422
    assert front.ask("GET", "/customers/a?" + "&".join(["secret=1"] * 1_000))[0] == 200


def test_a_number_is_recorded_as_it_is_or_rejected(front: Front) -> None:
    for number in NUMBERS:
        for field in ("amount", "wait_minutes", "rating", "numbers", "occurred_at", "resolved"):
            name = f"{number[:20]} {len(number)} {field}"
            value = f'{{"items": {number}}}' if field == "numbers" else number
            plain = json.dumps({**EVENT, "customer_id": name})
            told = front.record(f'{plain[:-1]}, "{field}": {value}}}')
            if told is None:
                (held,) = front.held(name)
                got = held["numbers"]["items"] if field == "numbers" else held[field]
                assert got == float(number), name
            else:
                assert told["field"].startswith(field), name


def test_a_number_in_a_request_is_counted_with_or_refused(front: Front) -> None:
    for number in NUMBERS:
        for body in (
            f'{{"customers": ["a"], "reasons": {number}}}',
            f'{{"customers": [{number}]}}',
            f'{{"customers": ["a"], "as_of": {number}}}',
        ):
            assert front.ask("POST", "/churn", body)[0] == 422, body
        for body in (
            f'{{"customer_id": "a", "limit": {number}}}',
            f'{{"customer_id": "a", "reasons": {number}}}',
            f'{{"customer_id": "a", "reserve": {number}}}',
        ):
            status, _ = front.ask("POST", "/offers", body)
            assert status == 422 or number == "-0.0", body
        event = f'{json.dumps(EVENT)[:-1]}, "amount": {number}, "numbers": {{"items": {number}}}}}'
        facts = f'{{"age": {number}, "town": {number}}}'
        for inside, outside in (([event] * 3, "{}"), ([], facts), ([event], facts)):
            interactions = ", ".join(inside)
            history = f'"interactions": [{interactions}], "attributes": {outside}'
            body = f'{{"histories": [{{"customer_id": "a", {history}}}], "reasons": 20}}'
            front.ask("POST", "/churn", body)


def test_sums_beyond_all_numbers_are_still_answered(front: Front) -> None:
    for number in ("1e308", "-1e308"):
        event = f'"amount": {number}, "wait_minutes": 1e308, "numbers": {{"items": {number}}}'
        for n in range(3):
            plain = {**EVENT, "customer_id": number, "interaction_id": f"{number} {n}"}
            assert front.record(f"{json.dumps(plain)[:-1]}, {event}}}") is None
        status, told = front.ask("POST", "/churn", {"customers": [number], "reasons": 20})
        assert status == 200
        assert 0 <= told["scores"][0]["probability"] <= 1
        status, told = front.ask("POST", "/offers", {"customer_id": number, "reasons": 20})
        assert status == 200
        status, told = front.ask("GET", f"/customers/{number}?reasons=20")
        assert status == 200
        assert told["interactions"] == len(front.held(number)) == 3


def test_a_time_is_recorded_as_it_is_or_rejected(front: Front) -> None:
    for time in TIMES:
        for field in ("occurred_at", "due_at"):
            name = f"{time[:30]!a} {field}"
            told = front.record({**EVENT, "customer_id": name, field: time})
            if told is None:
                (held,) = front.held(name)
                assert held[field][:4] == time[:4], time
                for path in (f"/customers/{quote(name)}", f"/customers/{quote(name)}?reasons=20"):
                    assert front.ask("GET", path)[0] == 200, time
                assert front.ask("POST", "/churn", {"customers": [name]})[0] == 200
                assert front.ask("POST", "/offers", {"customer_id": name})[0] == 200
            else:
                assert told["field"] == field, time
        event = {**EVENT, "occurred_at": time, "due_at": time}
        given = {"customer_id": "a", "interactions": [EVENT, event]}
        front.ask("POST", "/churn", {"histories": [given]})
        front.ask("POST", "/churn", {"customers": ["sound", "a"], "as_of": time})
        given = {"customer_id": "a", "interactions": [EVENT]}
        front.ask("POST", "/churn", {"histories": [given], "as_of": time})


@pytest.mark.parametrize("depth", [100, 950, 100_000])
def test_nesting_in_any_place_is_answered(front: Front, depth: int) -> None:
    for opening, closing in (("[", "]"), ('{"a":', "}")):
        deep = opening * depth + "1" + closing * depth
        for path, body in (
            ("/churn", f'{{"customers": {deep}}}'),
            ("/churn", f'{{"histories": [{{"customer_id": "a", "interactions": {deep}}}]}}'),
            ("/churn", f'{{"customers": ["a"], "secret": {deep}}}'),
            ("/offers", deep),
            ("/offers", f'{{"customer_id": "a", "offers": {deep}}}'),
            ("/interactions", f'{{"interactions": {deep}}}'),
        ):
            status, told = front.ask("POST", path, body)
            assert status in (200, 400, 422), (path, status)
            assert status != 200 or told["accepted"] == 0
    plain = json.dumps({**EVENT, "customer_id": "a"})
    for field in ("recorded_at", "numbers", "amount", "customer_id"):
        deep = f'{plain[:-1]}, "{field}": {"[" * depth + "]" * depth}}}'
        status, told = front.ask("POST", "/interactions", f'{{"interactions": [{deep}]}}')
        assert status in (200, 400, 422), field
        assert status != 200 or told["accepted"] == (field == "recorded_at"), field


@pytest.mark.parametrize("path", ["/churn", "/offers", "/interactions"])
def test_ten_megabytes_are_answered_and_not_one_byte_more(front: Front, path: str) -> None:
    name = {"/churn": "customers", "/offers": "customer_id", "/interactions": "interactions"}[path]
    for opening, filling, closing in (
        (f'{{"{name}": "', "x", '"}'),
        (f'{{"{name}": ["', "x", '"]}'),
        (f'{{"{name}": [', "1,", "1]}"),
        ('{"', "x", '": 1}'),
        ("", " ", "{}"),
        ("", "[", ""),
        ("", "\x00", ""),
        ("", '{"a":', ""),
    ):
        n = (LARGEST_BODY - len(opening) - len(closing)) // len(filling)
        body = f"{opening}{filling * n}{closing}".ljust(LARGEST_BODY)
        assert front.ask("POST", path, body.encode())[0] in (200, 400, 422), opening
        assert front.ask("POST", path, body.encode() + b" ")[0] == 413
    assert front.ask("GET", "/customers/a", b" " * (LARGEST_BODY + 1))[0] == 413


def test_bytes_that_are_no_text_are_refused(front: Front) -> None:
    for body in (b"", b"\xff\xfe", b"\xed\xa0\x80", b'"\xc0\x80"', b"null", b"\x00"):
        for path in ("/churn", "/offers", "/interactions"):
            for sent in (body, b'{"customers": ["' + body + b'\xff"]}'):
                assert front.ask("POST", path, sent)[0] in (400, 422), sent


def test_digits_without_end_are_no_number_and_keep_nothing_else_out(front: Front) -> None:
    item, many = json.dumps({**EVENT, "customer_id": "a"})[:-1], "9" * 5_000
    body = f'{{"interactions": [{item}, "amount": {many}}}, {item}, "amount": -3}}]}}'
    status, answer = front.ask("POST", "/interactions", body)
    assert (status, answer["accepted"]) == (200, 1)
    assert [(each["index"], each["field"]) for each in answer["rejected"]] == [(0, "amount")]
    assert [each["amount"] for each in front.held("a")] == [-3.0]
    assert front.ask("POST", "/churn", f'{{"customers": ["a"], "reasons": {many}}}')[0] == 422


def test_keys_that_come_twice_or_are_the_languages_own_do_no_harm(front: Front) -> None:
    twice = '{"customers": ["secret"], "customers": ["b"]}'
    assert front.ask("POST", "/churn", twice)[1]["scores"][0]["customer_id"] == "b"
    for key in ("__class__", "__proto__", "constructor", "model_config", "self", "", "\ud800"):
        assert front.ask("POST", "/churn", {"customers": ["a"], key: {}})[0] == 422
        told = front.record({**EVENT, "customer_id": "a", key: {}})
        assert told is not None
        given = {"customer_id": "a", "interactions": [EVENT], "attributes": {key: "x"}}
        front.ask("POST", "/churn", {"histories": [given]})
