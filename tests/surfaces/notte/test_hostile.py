"""Any body or query gets Notte's 4xx or a complete answer, never a 5xx."""

import json
from collections import ChainMap
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from werkzeug.datastructures import MultiDict
from werkzeug.test import TestResponse

from sessionary import create_app
from sessionary.settings import Settings
from tests.conftest import App
from tests.surfaces.notte.conftest import NotteClient

FIELDS = {
    "/session/start": [
        "session_id", "keep_alive", "session_timeout_minutes", "session_timeout", "screenshot",
    ],
    "/session/close": ["session_id", "keep_alive", "session_timeout_minutes"],
    "/env/observe": ["session_id", "url", "min_nb_actions", "max_nb_actions", "keep_alive"],
    "/env/step": ["session_id", "action_id", "value", "enter", "max_nb_actions", "screenshot"],
    "/env/scrape": ["session_id", "url", "scrape_images", "only_main_content", "keep_alive"],
    "/sessions/start": [
        "idle_timeout_minutes", "timeout_minutes", "max_duration_minutes", "proxies", "headless",
        "browser_type", "user_agent", "viewport_width", "chrome_args", "profile", "auth_ids",
        "extra_http_headers", "auth_retry", "aspect_ratio",
    ],
    "/sessions/{id}/page/observe": ["url", "min_nb_actions", "perception_type"],
    "/sessions/{id}/page/execute": ["type", "url", "id", "value"],
    "/sessions/{id}/page/scrape": ["url", "scrape_links", "selector"],
}  # fmt: skip

MINE = "mine"
texts = st.text(max_size=8) | st.sampled_from(
    [
        "",
        "\0",
        "\ud800",
        "\udfff",
        "NaN",
        "true",
        "5",
        "goto",
        "chromium",
        "\u202e",
        "'",
        "x" * 5000,
    ]
)
numbers = (
    st.sampled_from([0, 1, 5, 29, 30, 31, 2**31, 2**63 - 1, 2**63, 10**300, -1, 5.0, 5.5, 1e308])
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
)
values = st.recursive(
    st.none() | st.booleans() | numbers | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=6,
)


def mangled(text: str) -> bytes:
    """Return broken JSON."""
    return b'{"' + text.encode("utf-8", "surrogatepass") + b'": 1}'


def bodies(path: str) -> st.SearchStrategy[dict[str, Any]]:
    known = st.dictionaries(st.sampled_from(FIELDS[path]), values, max_size=4)
    unknown = st.dictionaries(texts, values, max_size=1)
    session = st.sampled_from([{}, {"session_id": MINE}] if path.startswith("/env") else [{}])
    return st.builds(lambda *parts: dict(ChainMap(*parts)), session, known, unknown)


class Namespace:
    """One namespace for all examples; each example empties it."""

    def __init__(self) -> None:
        self.app = App(create_app(Settings(db=":memory:", auth="lenient", durability="off")))
        self.notte = NotteClient(self.app.client)

    def rows(self) -> list[Any]:
        return self.app.rows("notte_sessions")

    def empty(self) -> None:
        with self.app.namespace.activate():
            self.app.namespace.database.run("DELETE FROM notte_sessions")


@pytest.fixture(scope="module")
def namespace() -> Iterator[Namespace]:
    namespace = Namespace()
    yield namespace
    namespace.app.namespace.close()


def is_whole(response: TestResponse) -> bool:
    """Whether it is an answer; otherwise it must be Notte's error."""
    assert response.content_type == "application/json"
    if response.status_code == 200:
        assert "detail" not in response.json
        return True
    assert response.status_code in (400, 401, 404, 405, 422), response.get_data(as_text=True)
    assert "detail" in response.json
    assert response.json.keys() <= {"detail", "session_id"}
    return False


def post(namespace: Namespace, path: str, body: Any) -> None:
    session_id = namespace.notte.start(session_timeout_minutes=29)["session_id"]
    if isinstance(body, dict) and body.get("session_id") == MINE:
        body = {**body, "session_id": session_id}
    before = namespace.rows()
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    response = namespace.notte.post(path.format(id=session_id), data)
    if not is_whole(response):
        assert namespace.rows() == before
    elif path.endswith("execute"):
        assert response.json["action"] == json.loads(data)
    elif path.startswith("/env") and isinstance(body.get("url"), str) and body["url"]:
        assert response.json["metadata"]["url"] in (body["url"], "about:blank")
    namespace.empty()


@pytest.mark.parametrize("path", FIELDS)
@given(data=st.data())
@settings(max_examples=50, deadline=None)
def test_a_hostile_body_is_refused_or_accepted_as_a_whole(
    namespace: Namespace, path: str, data: st.DataObject
) -> None:
    post(namespace, path, data.draw(bodies(path)))


@pytest.mark.long
@pytest.mark.parametrize("path", FIELDS)
@given(data=st.data())
@settings(max_examples=5000, deadline=None)
def test_many_hostile_bodies_are_refused_or_accepted_as_a_whole(
    namespace: Namespace, path: str, data: st.DataObject
) -> None:
    post(namespace, path, data.draw(bodies(path)))


@pytest.mark.parametrize("path", FIELDS)
@given(body=st.binary(min_size=1, max_size=40) | st.text(max_size=40).map(mangled))
@settings(max_examples=30, deadline=None)
def test_a_body_of_any_bytes_is_refused_or_accepted_as_a_whole(
    namespace: Namespace, path: str, body: bytes
) -> None:
    post(namespace, path, body)


QUERIES = {
    "/sessions/": ["page", "page_size", "only_active", "only_current_token", "include_system"],
    "/sessions/{id}": ["page", "x"],
    "/sessions/{id}/stop": ["close_reason"],
}
printable = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
words = printable | st.sampled_from(
    ["1", "0", "-1", "100", "101", "1e3", "+1", " 1", "1_0", "\u0663", "9" * 19, "9" * 5000, "True",
     "TRUE", "yes", "null", "manual", "error", "manual\0"]
)  # fmt: skip


@pytest.mark.parametrize("path", QUERIES)
@given(data=st.data())
@settings(max_examples=60, deadline=None)
def test_a_hostile_query_is_refused_or_answered(
    namespace: Namespace, path: str, data: st.DataObject
) -> None:
    names = st.sampled_from(QUERIES[path]) | printable
    query = data.draw(st.lists(st.tuples(names, words), max_size=4))
    session_id = namespace.notte.start()["session_id"]
    before = namespace.rows()
    response = namespace.notte.client.open(
        "/notte" + path.format(id=session_id),
        method="DELETE" if path.endswith("stop") else "GET",
        query_string=MultiDict(query),
        headers=namespace.notte.headers,
    )
    if not is_whole(response) or not path.endswith("stop"):
        assert namespace.rows() == before
    namespace.empty()


@given(id=printable, tail=st.sampled_from(["", "/stop", "/page/observe", "/x"]))
@settings(max_examples=60, deadline=None)
def test_an_id_of_any_text_is_refused(namespace: Namespace, id: str, tail: str) -> None:
    path = f"/notte/sessions/{quote(id, safe='')}{tail}"
    method = {"/stop": "DELETE", "/page/observe": "POST"}.get(tail, "GET")
    response = namespace.notte.client.open(path, method=method, headers=namespace.notte.headers)
    assert is_whole(response) is (not id and not tail)


@given(key=st.text(st.characters(max_codepoint=255, exclude_categories=["Cc"]), max_size=20))
@settings(max_examples=60, deadline=None)
def test_a_credential_of_any_text_is_accepted_or_401(namespace: Namespace, key: str) -> None:
    response = namespace.notte.client.get("/notte/sessions", headers={"Authorization": key})
    if not is_whole(response):
        assert response.status_code == 401
