"""The pages: what they show is what the API says, and nobody else reads it."""

import html
import io
import json
import re
import time
from collections.abc import Iterator
from typing import Any, get_args
from urllib.parse import quote

import pytest
from itsdangerous import TimestampSigner
from markupsafe import escape
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.testclient import TestClient

from features import clock
from features.interactions import Attribute, Interaction
from serving import view
from serving.answer_schemas import RuleOut
from serving.api import create_api
from serving.keys import Guard, Keys, read_keys
from serving.limits import Bounds, Limits
from serving.logs import Lines, RequestLog
from serving.pages.app import create_pages
from serving.pages.drawings import bars_of, line_of
from serving.pages.face import PROTECTING, Face, Pages
from serving.pages.words import MINUS, RULES
from serving.pages.worklist import Listed, Worklist
from serving.scorer import Scorer
from serving.sessions import COOKIE, SECONDS
from serving.tables import IDENTITIES
from training.reasons import Reason

SCORE, INGEST, OTHER = "s" * 20, "i" * 20, "o" * 20
HOSTILE = "</title><script>alert('1')</script>\"'&?#/ \N{GRINNING FACE}"
HTML = {"Accept": "text/html,application/xhtml+xml"}
NOBODY = Keys({})


def keys(*score: str) -> Keys:
    return read_keys({"RAPPORT_KEYS_SCORE": ",".join(score), "RAPPORT_KEYS_INGEST": INGEST})


def site(scorer: Scorer | None, given: Keys = NOBODY, lines: Lines | None = None) -> Any:
    """The service's own layers around the pages and the API."""
    api, pages = create_api(), create_pages(given, pause=0.0)
    if scorer is not None:
        api.state.scorer = pages.state.scorer = scorer
        pages.state.worklist = Worklist(lambda: scorer)
    outer = Starlette()
    outer.mount("/v1", api)
    guarded = Guard(Limits(Pages(outer, pages), lambda: Bounds(timeout=5.0)), given)
    app = RequestLog(Face(guarded, given), lines or Lines(io.StringIO()))
    app.pages = pages  # type: ignore[attr-defined] # for tests that look behind the layers
    return app


def visit(app: Any, **how: Any) -> TestClient:
    return TestClient(
        app,
        base_url=how.pop("url", "http://127.0.0.1"),
        headers=HTML,
        follow_redirects=False,
        **how,
    )


@pytest.fixture
def client(scorer: Scorer) -> Iterator[TestClient]:
    yield visit(site(scorer))


def text_of(page: str) -> str:
    """What a reader sees, in one line."""
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", page)).split())


def about(client: TestClient, customer: str, **more: str) -> str:
    answer = client.get("/customer", params={"id": customer, **more})
    assert answer.status_code == 200, answer.text
    return str(answer.text)


def test_it_says_what_the_view_says(client: TestClient) -> None:
    view = client.get("/v1/customers/0001?reasons=6&timeline=50").json()
    said = text_of(about(client, "0001"))
    assert f"{view['churn']['probability']:.1%}" in said
    assert f"{view['churn']['base_rate']:.1%} were lost in training" in said
    for reason in view["churn"]["reasons"]:
        assert reason["text"] in said
    for held in view["offers"]["held_back"]:
        assert f"Offer {held['offer_id']}" in said
        assert all(rule["because"] in said for rule in held["rules"])
    assert {*view["attributes"].values()} <= set(said.split())
    assert f"of {view['interactions']:,} interactions" in said
    for group in view["signals"].values():
        assert all(each["text"].lower() in said.lower() for each in group)


def test_a_customer_is_found_by_each_of_their_keys(client: TestClient, scorer: Scorer) -> None:
    known = {"key": "w1", "customer_id": "0001", "known_at": 5}
    with scorer.store._alone() as connection:
        connection.execute(IDENTITIES.insert(), known)
    page = about(client, "w1")
    assert '<h1 class="id">0001</h1>' in page
    assert "“w1” is a key of this customer." in text_of(page)
    assert "is a key of" not in about(client, "0001")
    own, (by_key,) = (
        client.post("/v1/churn", json={"customers": [name]}).json()["scores"]
        for name in ("0001", "w1")
    )
    assert [by_key] == own
    assert client.get("/v1/customers/w1").json()["customer_id"] == "0001"
    offered = client.post("/v1/offers", json={"customer_id": "w1"}).json()
    assert (offered["customer_id"], offered["status"]) == ("0001", "known")
    decided = scorer.store.export("0001")["decisions"]
    assert [each["decision_id"] for each in decided] == [offered["decision_id"]]
    early = {"customers": ["w1"], "as_of": "1970-01-01T00:00:00.000005Z"}
    assert client.post("/v1/churn", json=early).json()["scores"][0]["customer_id"] == "w1"


def test_amounts_are_told_to_the_penny_and_only_known_times_of_the_day(
    client: TestClient, scorer: Scorer
) -> None:
    now = scorer.store.as_of()
    midnight = now - now % clock.DAY - clock.DAY  # London's, in winter
    later = midnight + 9 * 60 * 60 * 1_000_000
    items = [
        Interaction("c", midnight, now, "purchase", amount=1111.5),
        Interaction("c", later, now, "purchase", amount=83.0),
    ]
    scorer.store.record(items)
    page = about(client, "c")
    assert re.findall(r"<time>(.*?)</time>", page) == ["09:00"]
    assert re.findall(r'<span class="details">(.*?)</span>', page) == ["£83.00", "£1,111.50"]


def test_without_an_offer_model_a_line_says_so_and_no_panel(
    client: TestClient, scorer: Scorer
) -> None:
    assert 'id="offer"' in about(client, "0001")
    scorer.ranker = None
    page = about(client, "0001")
    assert 'id="offer"' not in page
    assert "What to offer is not said: there is no offer model." in page


def test_a_reason_is_told_for_what_it_is(client: TestClient) -> None:
    said = text_of(about(client, "0001"))
    assert "what the model saw" in said and "not what caused it" in said
    assert "Where the model starts" in said


def test_looking_decides_reserves_and_logs_nothing(client: TestClient, scorer: Scorer) -> None:
    before = scorer.store.export("0001")
    about(client, "0001")
    assert scorer.store.export("0001") == before


def test_effects_that_are_shown_add_up_to_what_is_shown(client: TestClient) -> None:
    for customer in ("0001", "0002", "0003", "0004"):
        page = about(client, customer)
        ends = [float(x) for x in re.findall(r"<b>([\d.]+)%</b></li>", page)]
        shown = re.findall(rf"</span>([+{MINUS}]?[\d.]+)<span class=\"hidden\"> points", page)
        assert len(shown) > 2
        steps = [float(each.replace(MINUS, "-")) for each in shown]
        assert round(ends[0] + sum(steps), 1) == ends[-1]


def test_bars_lie_end_to_end_from_the_baseline_to_the_probability() -> None:
    reasons = [Reason("a", 0.2, "A", []), Reason("b", -0.05, "B", [])]
    bars = bars_of(reasons, 0.01, 0.1, 0.26)
    assert [(bar.direction, bar.tenths) for bar in bars] == [("up", 200), ("down", -50), ("up", 10)]
    assert bars[0].start == 0.0
    assert bars[0].width == pytest.approx(100.0)
    assert bars[1].start + bars[1].width == pytest.approx(100.0)
    assert bars[2].start == pytest.approx(bars[1].start)


def test_nothing_to_draw_is_nothing_drawn() -> None:
    assert line_of([None, 0.5]) is None
    assert bars_of([], 0.0, 0.2, 0.2) == []


def test_the_course_is_drawn_from_the_signals_themselves(
    client: TestClient, scorer: Scorer
) -> None:
    knows = client.get("/v1/customers/0001").json()["relationship"]["knowledge"]["value"]
    page = about(client, "0001")
    assert f"to {100 * knows:.0f}%" in page
    (points, *_) = re.findall(r'<polyline points="([^"]+)"', page)
    last = float(points.split(",")[-1])
    assert last == pytest.approx(25.0 - 22.0 * knows, abs=0.06)


def test_a_hostile_id_is_text_and_its_links_lead_to_it(
    client: TestClient, scorer: Scorer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(view, "_tells_cases", lambda plan: True)
    now = scorer.store.as_of()
    bad = f"{HOSTILE}\n"
    items = [
        Interaction(bad, now - 5 - i, now, "complaint", f"i{i}", "api", HOSTILE, HOSTILE, HOSTILE)
        for i in range(60)
    ]
    assert scorer.store.record(items).accepted == 60
    page = about(client, bad)
    assert "<script" not in page
    assert HOSTILE.strip() in html.unescape(page)
    assert f"/customer?id={quote(bad, safe='')}&amp;timeline=200" in page
    assert "Case " in page and "60 contacts" in page
    assert text_of(page).count("Complaint by") == 50


@pytest.mark.parametrize(
    "name", ["a/b", "..", "/", "?id=1", "#", "%2F", "+", "&amp;", "a\nb", " ", "Zoë \N{SNOWMAN}"]
)
def test_whoever_can_be_recorded_has_a_page(client: TestClient, scorer: Scorer, name: str) -> None:
    now = scorer.store.as_of()
    scorer.store.record([Interaction(name, now - 5, now, "purchase", amount=7.5)])
    answer = client.get(f"/customer?id={quote(name, safe='')}")
    assert answer.status_code == 200
    assert f'<h1 class="id">{escape(name)}</h1>' in answer.text


def test_who_is_unknown_is_told_so_and_what_was_typed_stays(client: TestClient) -> None:
    for typed in ("nobody", HOSTILE, " 0001"):
        answer = client.get("/customer", params={"id": typed})
        assert answer.status_code == 404
        assert "Nothing is recorded of" in answer.text
        assert f'value="{escape(typed)}"' in answer.text
        assert ("begins or ends with a space" in answer.text) == (typed == " 0001")


def test_a_customer_with_facts_and_no_history_has_a_page(
    client: TestClient, scorer: Scorer, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = scorer.store.known

    def facts_alone(customers: list[str]) -> Any:
        as_of, _ = known(customers)
        return as_of, {name: ([], [Attribute(name, 0, "town", "Bath")]) for name in customers}

    monkeypatch.setattr(scorer.store, "known", facts_alone)
    said = text_of(about(client, "new"))
    assert "They never bought" in said
    assert "Not a customer yet" in said
    assert "Town Bath" in said
    assert "Nothing yet." in said
    assert "Not known: Any interaction, age" in said


@pytest.mark.parametrize(
    "query", ["id=" + "x" * 501, "id=a%00b", "id=0001&timeline=many", "id=0001&timeline=10001"]
)
def test_a_wrong_request_is_told_and_not_traced(client: TestClient, query: str) -> None:
    answer = client.get(f"/customer?{query}")
    assert answer.status_code == 422
    assert answer.headers["content-type"].startswith("text/html")
    assert "That did not work" in answer.text
    plain = client.get(f"/customer?{query}", headers={"Accept": "*/*"})
    assert plain.json()["error"]["remedy"]


def test_no_id_leads_to_the_search(client: TestClient) -> None:
    answer = client.get("/customer?id=")
    assert (answer.status_code, answer.headers["location"]) == (303, "/")


def test_the_timeline_shows_more_when_it_is_asked_to(client: TestClient) -> None:
    few, more = about(client, "0001", timeline="2"), about(client, "0001", timeline="10000")
    assert few.count("<time>") < more.count("<time>")
    assert "The latest 2 of" in text_of(few)
    assert "Show " not in text_of(more)


def test_the_list_is_counted_behind_the_page(client: TestClient, scorer: Scorer) -> None:
    again = '<meta http-equiv="refresh" content="2">'
    first = client.get("/").text
    assert "Every customer is being scored" in first
    assert again in first
    _worklist(client).count()
    page = client.get("/").text
    assert again not in page
    _, scores = scorer.at_risk(scorer.store.customers(), 25, 1)
    assert re.findall(r'<a href="/customer\?id=(\w+)"', page) == [s.customer_id for s in scores]
    assert scores[0].reasons[0].text in text_of(page)
    assert "the settings do not say under [value]" in text_of(page)
    assert re.search(r"as of \d+ \w+ 20\d\d, \d\d:\d\d", page)


def test_whom_contacting_pays_is_chosen_by_money(
    scorer: Scorer, monkeypatch: pytest.MonkeyPatch
) -> None:
    from training.money import Stakes

    monkeypatch.setattr(scorer, "_stakes", Stakes(400.0, 20.0, 0.2))
    client = visit(site(scorer))
    _worklist(client).count()
    page = client.get("/").text
    assert "Most at risk, whom contacting pays" in page
    shown = [float(x) for x in re.findall(r"<b>([\d.]+)%</b>", page)]
    assert shown and min(shown) >= 25.0  # 0.25 * 0.2 * 400 = 20
    assert "£" in page
    assert "Contacting pays" in about(client, re.findall(r"customer\?id=(\w+)\"", page)[0])
    _, everybody = scorer.at_risk(scorer.store.customers(), 1_000, 0)
    assert min(s.probability for s in everybody) < 0.25


def test_who_was_erased_leaves_the_list_at_once(client: TestClient, scorer: Scorer) -> None:
    worklist = _worklist(client)
    worklist.count()
    listed = worklist.look()
    assert listed is not None
    first = listed.scores[0].customer_id
    link = f'"/customer?id={first}"'
    assert link in client.get("/").text
    scorer.store.erase(first, wipe=False)
    assert link not in client.get("/").text
    assert client.get(f"/customer?id={first}").status_code == 404


def test_an_empty_list_says_so(client: TestClient) -> None:
    worklist = _worklist(client)
    worklist._listed = Listed(0, [], True, 7, "m 1")
    assert "of 7 customers none is both a customer now and worth" in text_of(client.get("/").text)


def test_every_rule_of_contact_has_words() -> None:
    assert set(RULES) == set(get_args(RuleOut.model_fields["rule"].annotation))


def _worklist(client: TestClient) -> Worklist:
    app: Any = client.app
    worklist: Worklist = app.pages.state.worklist
    return worklist


@pytest.mark.parametrize(
    "path", ["/", "/customer?id=0001", "/customer?id=x", "/login", "/page.css"]
)
def test_a_page_says_what_a_browser_may_do_with_it(scorer: Scorer, path: str) -> None:
    for given in (NOBODY, keys(SCORE)):
        answer = visit(site(scorer, given)).get(path)
        for name, value in PROTECTING.items():
            if path != "/page.css" or name != "Cache-Control":
                assert answer.headers[name] == value
    assert "'unsafe" not in PROTECTING["Content-Security-Policy"]


def test_pages_hold_no_script_and_no_style_of_their_own(client: TestClient) -> None:
    for path in ("/", "/customer?id=0001", "/customer?id=nobody"):
        page = client.get(path).text
        assert not re.search(r"<script|<style|\sstyle=|\son\w+=|javascript:", page)
        loaded = re.findall(r'<link[^>]+href="([^"]+)"', page)
        assert [each for each in loaded if not re.match(r"/(icon\.svg|page\.css\?)", each)] == []


def test_without_models_a_page_says_so() -> None:
    for path in ("/", "/customer?id=0001"):
        answer = visit(site(None)).get(path)
        assert answer.status_code == 503
        assert "the models are not loaded yet" in answer.text
        assert answer.headers["content-type"].startswith("text/html")


def test_a_store_that_is_away_is_told_as_a_page(
    client: TestClient, scorer: Scorer, monkeypatch: pytest.MonkeyPatch
) -> None:
    from sqlalchemy.exc import OperationalError

    def fail(customers: list[str]) -> None:
        raise OperationalError("SELECT 0001", None, Exception("0001"))

    monkeypatch.setattr(scorer.store, "known", fail)
    answer = client.get("/customer?id=0001")
    assert answer.status_code == 503
    assert "a database that answers" in answer.text
    assert "0001" not in text_of(answer.text)


def test_an_error_of_its_own_is_a_page_without_its_inside(
    scorer: Scorer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scorer.store, "known", lambda customers: 1 / 0)
    client = visit(site(scorer), raise_server_exceptions=False)
    answer = client.get("/customer?id=0001")
    assert answer.status_code == 500
    assert "an error of its own" in answer.text
    assert "division" not in answer.text


def test_nobody_is_named_in_the_log(scorer: Scorer) -> None:
    out = io.StringIO()
    lines = Lines(out)
    client = visit(site(scorer, keys(SCORE), lines))
    client.post("/login", data={"key": "wrong-key-of-somebody"})
    client.get("/customer?id=0001")
    client.post("/login", data={"key": SCORE})
    client.get("/customer?id=0001")
    client.get("/customer?id=nobody-at-all")
    lines.flush()
    told = [json.loads(line) for line in out.getvalue().splitlines()]
    assert [(each["route"], each["status"]) for each in told] == [
        ("/login", 401),
        ("/customer", 303),
        ("/login", 303),
        ("/customer", 200),
        ("/customer", 404),
    ]
    assert not re.search(f"0001|nobody|wrong-key|{SCORE}", out.getvalue())


def signed_in(app: Any, key: str = SCORE, **how: Any) -> TestClient:
    client = visit(app, **how)
    answer = client.post("/login", data={"key": key, "to": "/customer?id=0001"})
    assert (answer.status_code, answer.headers["location"]) == (303, "/customer?id=0001")
    return client


def test_who_has_no_key_is_led_to_the_way_in_and_back(scorer: Scorer) -> None:
    client = visit(site(scorer, keys(SCORE)))
    answer = client.get("/customer", params={"id": "a/b &c"})
    assert answer.status_code == 303
    assert "a/b" not in answer.text
    form = client.get(answer.headers["location"])
    assert form.status_code == 200
    (to,) = re.findall(r'name="to" value="([^"]*)"', form.text)
    entered = client.post("/login", data={"key": SCORE, "to": html.unescape(to)})
    assert (entered.status_code, entered.headers["location"]) == (303, "/customer?id=a%2Fb+%26c")
    assert client.get(entered.headers["location"]).status_code == 404
    assert client.get("/").status_code == 200


@pytest.mark.parametrize("to", ["//evil.example", "https://evil.example", "/v1/models", "\\evil"])
def test_the_way_in_leads_to_this_service_alone(scorer: Scorer, to: str) -> None:
    client = visit(site(scorer, keys(SCORE)))
    answer = client.post("/login", data={"key": SCORE, "to": to})
    assert answer.headers["location"] == "/"


def test_the_cookie_is_for_this_site_and_out_of_reach_of_scripts(scorer: Scorer) -> None:
    app = site(scorer, keys(SCORE))
    for url, headers, secure in (
        ("http://127.0.0.1", {}, False),
        ("https://127.0.0.1", {}, True),
        ("http://127.0.0.1", {"X-Forwarded-Proto": "https"}, True),
    ):
        answer = visit(app, url=url).post("/login", data={"key": SCORE}, headers=headers)
        told = answer.headers["set-cookie"].lower()
        assert told.startswith(f"{COOKIE}=")
        assert {"httponly", "samesite=strict", "path=/", f"max-age={SECONDS}"} <= set(
            told.split("; ")
        )
        assert ("secure" in told.split("; ")) == secure
        assert SCORE not in told


@pytest.mark.parametrize("key", ["", "wrong", SCORE + "s", SCORE[:-1], INGEST, "é" * 20])
def test_a_wrong_key_opens_nothing_and_is_not_repeated(scorer: Scorer, key: str) -> None:
    client = visit(site(scorer, keys(SCORE)))
    answer = client.post("/login", data={"key": key})
    assert answer.status_code == 401
    assert "That is not a key of this service" in answer.text
    assert "set-cookie" not in answer.headers
    assert not key or key == "wrong" or key not in answer.text
    assert client.get("/").status_code == 303


def test_a_cookie_that_was_changed_opens_nothing(scorer: Scorer) -> None:
    app = site(scorer, keys(SCORE))
    cookie = signed_in(app).cookies[COOKIE]
    place = range(len(cookie))
    changed = [cookie[:i] + ("A" if cookie[i] != "A" else "B") + cookie[i + 1 :] for i in place]
    last = changed.pop()  # the last letter of base64 has bits that say nothing
    assert last != cookie
    for wrong in (*changed, "", "pages", cookie + "x", f"{cookie}.{cookie}", "é", "." * 4):
        sent = [(b"cookie", f"{COOKIE}={wrong}".encode("latin-1")), (b"accept", b"text/html")]
        assert visit(app).get("/", headers=sent).status_code == 303, wrong


def test_a_session_ends_after_eight_hours(scorer: Scorer, monkeypatch: pytest.MonkeyPatch) -> None:
    client, now = signed_in(site(scorer, keys(SCORE))), int(time.time())
    for later, status in ((SECONDS - 5, 200), (SECONDS + 5, 303), (-5, 303)):
        monkeypatch.setattr(TimestampSigner, "get_timestamp", lambda self, at=now + later: at)
        assert client.get("/").status_code == status


def test_a_session_ends_with_its_key_alone(scorer: Scorer) -> None:
    client = signed_in(site(scorer, keys(SCORE)))
    cookie = {"Cookie": f"{COOKIE}={client.cookies[COOKIE]}"}
    for given, status in ((keys(SCORE, OTHER), 200), (keys(SCORE), 200), (keys(OTHER), 303)):
        restarted = visit(site(scorer, given))
        assert restarted.get("/", headers=cookie).status_code == status


def test_leaving_ends_the_session_of_this_browser(scorer: Scorer) -> None:
    client = signed_in(site(scorer, keys(SCORE)))
    assert "Sign out" in client.get("/").text
    assert client.get("/logout").status_code == 405
    answer = client.post("/logout")
    assert (answer.status_code, answer.headers["location"]) == (303, "/login")
    assert client.get("/").status_code == 303


def test_a_session_opens_pages_for_reading_and_never_the_api(scorer: Scorer) -> None:
    client = signed_in(site(scorer, keys(SCORE)))
    assert client.get("/").status_code == 200
    for method, path in (
        ("GET", "/v1/customers/0001"),
        ("GET", "/v1/models"),
        ("POST", "/v1/churn"),
        ("DELETE", "/v1/customers/0001"),
        ("GET", "/metrics"),
        ("POST", "/churn"),
        ("POST", "/"),
        ("POST", "/customer?id=0001"),
        ("DELETE", "/customer?id=0001"),
    ):
        assert client.request(method, path).status_code in (401, 303), (method, path)
    assert scorer.store.histories(["0001"])["0001"][0]


def test_a_key_opens_pages_to_programs_too(scorer: Scorer) -> None:
    client = visit(site(scorer, keys(SCORE)))
    for key, status in ((SCORE, 200), (INGEST, 403)):
        headers = {"Authorization": f"Bearer {key}"}
        assert client.get("/customer?id=0001", headers=headers).status_code == status
    program = client.get("/customer?id=0001", headers={"Accept": "*/*"})
    assert (program.status_code, program.json()["error"]["subject"]) == (401, "key")


def test_without_keys_pages_are_for_this_machine_alone(scorer: Scorer) -> None:
    assert visit(site(scorer)).get("/login").headers["location"] == "/"
    answer = visit(site(scorer), url="http://10.0.0.1").get("/customer?id=0001")
    assert answer.status_code == 401
    assert "a request from elsewhere, where no key is set" in answer.text


def test_a_form_of_another_site_opens_and_ends_nothing(scorer: Scorer) -> None:
    client = visit(site(scorer, keys(SCORE)))
    foreign = {"Sec-Fetch-Site": "cross-site"}
    answer = client.post("/login", data={"key": SCORE}, headers=foreign)
    assert answer.status_code == 403
    assert "set-cookie" not in answer.headers
    assert "set-cookie" not in client.post("/logout", headers=foreign).headers


def test_only_so_many_wrong_keys_wait_at_a_time_and_no_right_one(scorer: Scorer) -> None:
    import threading

    pages = create_pages(keys(SCORE), pause=0.5)
    found: list[int] = []
    with TestClient(pages, follow_redirects=False) as client:

        def guess() -> None:
            found.append(client.post("/login", data={"key": "wrong"}).status_code)

        threads = [threading.Thread(target=guess) for _ in range(8)]
        for thread in threads:
            thread.start()
        while len(found) < 4:  # as many are sent away as wait
            time.sleep(0.01)
        right = client.post("/login", data={"key": SCORE}).status_code
        waited = sorted(found)
        for thread in threads:
            thread.join()
    assert (right, waited) == (303, [429] * 4)
    assert sorted(found) == [401] * 4 + [429] * 4


def test_what_takes_too_long_is_told_as_a_page() -> None:
    import asyncio

    async def slow(scope: Any, receive: Any, send: Any) -> None:
        await asyncio.sleep(0.2)
        await PlainTextResponse("late")(scope, receive, send)

    app = Face(Limits(slow, lambda: Bounds(timeout=0.05)), NOBODY)
    answer = visit(app).get("/")
    assert answer.status_code == 503
    assert "one within 0.05 seconds" in answer.text
