"""The calls of each surface that take input, and strategies of hostile input for them."""

import json
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from hypothesis import strategies as st

from tests.surfaces.callers import REFUSED, Caller

Strategy = st.SearchStrategy[Any]
MINE = "the session that the test has started"
WORDS = (
    "", "\0", "NaN", "null", "true", "True", "yes", "[]", "{}", "-0", "0", "1", "-1", "+1", " 1",
    "5", "100", "101", "1_0", "1e3", "1e309", "0x1F", "\u0663", "9" * 30, "2026-03-01", "%00", "'",
    "2026-03-01T12:00:00Z", "'; DROP TABLE galtea_sessions; --", "\u202e", "ver_123", "goto", " a ",
    "chromium", "manual", "error", "manual\0", "PENDING", "createdAt", "asc", "10000",
)  # fmt: skip
# Lone surrogates and NUL included.
texts = st.text(st.characters(codec=None), max_size=20) | st.sampled_from(
    [*WORDS, "\ud800", "\udfff", "\ud83d", "a" * 70_000]
)
numbers = (
    st.sampled_from([0, 1, 29, 30, 31, 2**31, 2**63 - 1, 2**63, -(2**63) - 1, 10**400, -1, 5.0])
    | st.sampled_from([1e308, -0.0, 1.5])
    | st.integers()
    | st.integers(-(10**40), 10**40)
    | st.floats(allow_nan=False, allow_infinity=False)
)
values = st.recursive(
    st.none() | st.booleans() | numbers | texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=12,
)
objects = st.dictionaries(texts, values, max_size=4)
# For query strings, which are UTF-8.
words = (
    st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
    | st.sampled_from([*WORDS, "9" * 5000])
    | st.integers().map(str)
)
raw_bodies = st.one_of(
    st.binary(min_size=1, max_size=200),
    texts.map(lambda text: b'{"' + text.encode("utf-8", "surrogatepass") + b'": 1}'),
    values.map(lambda value: json.dumps(value).encode()),
    st.integers(1, 400).map(lambda depth: b"[" * depth + b"]" * depth),
    st.sampled_from([b'{"a":' * 5000, b"\xff\xfe{\x00}\x00", b'\xef\xbb\xbf{"filters": []}']),
    st.sampled_from([b"NaN", b"-Infinity", b"1e400"]).map(
        lambda value: (
            b'{"title": "t", "account_id": "a", "state": {"n": %b}, "filters": %b}' % (value, value)
        )
    ),
    st.sampled_from([b'"\\ud800"', b"[1" + b"0" * 5000 + b"]"]).map(
        lambda value: b'{"filters": %b}' % value
    ),
    st.just(b'{"filters": [], "filters": [{}]}'),
)
CONTENT_TYPES = ("application/json", "text/json", "application/x+json", "")
# Any bytes of a path, each percent-encoded.
segments = (
    st.binary(min_size=1, max_size=12)
    | st.sampled_from([b"%00", b"..", b"\xff", b"%"])
    | texts.filter(lambda text: 0 < len(text) < 100).map(
        lambda text: text.encode("utf-8", "surrogatepass")
    )
).map(lambda raw: "".join(f"%{byte:02X}" for byte in raw))


def accept(_caller: Caller, _sent: Any, _shown: Any) -> None:
    """Check nothing more of an answer."""


class Body(NamedTuple):
    """A call with a body.

    `{id}` in the path is a session's id. `fields` have likely values; the strategy also sends any
    value and unknown fields. `check` takes the caller, what was sent, and the answer to it.
    """

    vendor: str
    method: str
    path: str
    fields: Mapping[str, Strategy]
    required: tuple[str, ...] = ()
    refused: set[int] | None = None
    check: Callable[[Caller, Any, Any], None] = accept
    done: int = 200

    @property
    def needs_fields(self) -> bool:
        """Whether a body without its fields is refused; Notte has a default for each field."""
        return bool(self.required) and self.vendor != "notte"

    def bodies(self) -> Strategy:
        """Likely bodies, bodies with any value in some or all fields, and any other JSON."""
        needed = {name: self.fields[name] for name in self.required}
        further = {name: each for name, each in self.fields.items() if name not in needed}
        some = st.dictionaries(st.sampled_from([*self.fields, "unknown"]), values, max_size=5)
        unknown = st.dictionaries(texts, values, max_size=1)
        likely = st.fixed_dictionaries(needed, optional=further)
        others = st.one_of(
            st.fixed_dictionaries(needed, optional=dict.fromkeys(further, values)),
            st.fixed_dictionaries(
                {}, optional={name: each | values for name, each in self.fields.items()}
            ),
            st.builds(lambda known, more: {**more, **known}, some, unknown),
            values,
        )
        # A choice of its own: half of all bodies are likely ones.
        return st.booleans().flatmap(lambda is_likely: likely if is_likely else others)


class Query(NamedTuple):
    """A call with a query string; `check` as in Body."""

    vendor: str
    method: str
    path: str
    names: tuple[str, ...]
    check: Callable[[Caller, Any, Any], None] = accept

    def queries(self) -> Strategy:
        """Lists of names and values; half of the names are those of the call."""
        known = st.sampled_from(self.names)
        names = st.booleans().flatmap(lambda is_known: known if is_known else words)
        return st.lists(st.tuples(names, words), max_size=5)


# Galtea


def check_galtea_create(caller: Caller, sent: Any, shown: Any) -> None:
    assert caller.json("GET", f"/galtea/sessions/{shown['id']}") == shown
    for name in ("versionId", "customId", "testCaseId", "metadata", "runId"):
        if sent.get(name) is not None:
            assert shown[name] == sent[name]
    if (context := sent.get("context")) is not None:
        assert shown["context"] == ({"value": context} if isinstance(context, str) else context)


def check_galtea_patch(caller: Caller, sent: Any, shown: Any) -> None:
    assert caller.json("GET", f"/galtea/sessions/{shown['id']}") == shown
    for name in {"customId", "error", "metadata"} & sent.keys():
        assert shown[name] == sent[name]


def check_galtea_finish(caller: Caller, sent: Any, shown: Any) -> None:
    """Finishing leaves a field as it was where the body has an empty value."""
    assert caller.json("GET", f"/galtea/sessions/{shown['id']}") == shown
    for name in {"stoppingReason", "error"} & sent.keys():
        assert shown[name] == sent[name] or not sent[name]


def check_list(_caller: Caller, _sent: Any, shown: Any) -> None:
    assert isinstance(shown, list)


_names = st.none() | texts
_galtea = {
    "versionId": st.just("ver_123"),
    "productId": texts,
    "customId": _names,
    "testCaseId": _names,
    "isProduction": st.booleans(),
    "context": st.none() | texts | objects,
    "metadata": st.none() | objects,
    "status": st.sampled_from(["PENDING", "COMPLETED", "FAILED"]),
    "runId": _names,
    "stoppingReason": _names,
    "error": _names,
}
_lists = (
    "ids", "customIds", "versionIds", "testIds", "excludeTestIds", "userIds", "statuses",
    "fromCreatedAt", "toCreatedAt", "limit", "offset", "sort", "commentLabels",
)  # fmt: skip
_galtea_names = (*_lists, *(f"{name}[]" for name in _lists))

# Mobile Next

_attributes = st.sampled_from(["platform", "type", "name", "version"])
_operators = st.sampled_from(
    ["EQUALS", "GREATER_THAN", "GREATER_THAN_OR_EQUALS", "LESS_THAN", "LESS_THAN_OR_EQUALS",
     "STARTS_WITH", "CONTAINS"]
)  # fmt: skip
_filter = {"attribute": _attributes, "operator": _operators, "value": texts | st.just("18.6.2")}
_android = {"attribute": "platform", "operator": "EQUALS", "value": "android"}
_filters = st.lists(st.fixed_dictionaries(_filter), max_size=4).map(
    lambda found: [*found, _android]
) | st.lists(
    st.fixed_dictionaries({name: each | values for name, each in _filter.items()}), max_size=4
)


def check_mobilenext_allocation(caller: Caller, _sent: Any, shown: Any) -> None:
    """Exactly one device was allocated; give it back."""
    allocations = caller.app.rows("mobilenext_allocations")
    assert sum(row[-1] is None for row in allocations) == 1
    device = shown["device"]["id"]
    caller.json("POST", f"/api/v1/sessions/{caller.started}/devices/{device}/release")


def check_mobilenext_page(_caller: Caller, _sent: Any, shown: Any) -> None:
    assert shown["object"] == "list"


# Notte


def check_notte_url(_caller: Caller, sent: Any, shown: Any) -> None:
    if isinstance(sent.get("url"), str) and sent["url"]:
        assert shown["metadata"]["url"] in (sent["url"], "about:blank")


def check_notte_action(_caller: Caller, sent: Any, shown: Any) -> None:
    assert shown["action"] == sent


NOTTE_FIELDS = {
    "/session/start": "session_id keep_alive session_timeout_minutes session_timeout screenshot",
    "/session/close": "session_id keep_alive session_timeout_minutes",
    "/env/observe": "session_id url min_nb_actions max_nb_actions keep_alive",
    "/env/step": "session_id action_id value enter max_nb_actions screenshot",
    "/env/scrape": "session_id url scrape_images only_main_content keep_alive",
    "/sessions/start": (
        "idle_timeout_minutes timeout_minutes max_duration_minutes proxies headless browser_type"
        " user_agent viewport_width chrome_args profile auth_ids extra_http_headers auth_retry"
        " aspect_ratio"
    ),
    "/sessions/{id}/page/observe": "url min_nb_actions perception_type",
    "/sessions/{id}/page/execute": "type url id value",
    "/sessions/{id}/page/scrape": "url scrape_links selector",
}


def _notte_body(path: str, names: str) -> Body:
    fields = dict.fromkeys(names.split(), values)
    required: tuple[str, ...] = ()
    check = check_notte_action if path.endswith("execute") else accept
    likely = {"session_id": st.just(MINE), "type": st.just("goto"), "url": texts}
    fields |= {name: each for name, each in likely.items() if name in fields}
    if path.startswith("/env"):
        required, check = ("session_id",), check_notte_url
    return Body("notte", "POST", f"/notte{path}", fields, required, check=check)


# Scale


def check_scale_echo(caller: Caller, sent: Any, shown: Any) -> None:
    """The input comes back equal, including key order and 1 against 1.0."""
    for name in {"title", "state"} & sent.keys():
        assert json.dumps(shown[name]) == json.dumps(sent[name])
    assert caller.json("GET", f"/v4/sessions/{shown['id']}") == shown


def check_scale_create(caller: Caller, sent: Any, shown: Any) -> None:
    assert shown["account_id"] == sent["account_id"]
    check_scale_echo(caller, sent, shown)


def check_scale_page(_caller: Caller, sent: Any, shown: Any) -> None:
    assert shown["items"] == []
    assert str(shown["current_page"]) == dict(sent).get("page", "1").lstrip("0")


_dates = st.none() | st.datetimes().map(lambda moment: moment.isoformat()) | st.sampled_from(
    ["2026-01-01T00:00:00Z", "2026-01-01T24:00:00Z", "0000-01-01T00:00:00Z",
     "9999-12-31T23:59:59-23:59", "2026-01-01T00:00:00.1234567891Z", "2026-01-01 00:00:00Z",
     "২026-01-01T00:00:00Z", "P1D", ""]
)  # fmt: skip
_scale = {
    "title": texts,
    "state": objects,
    "account_id": texts,
    "start_date": _dates,
    "end_date": _dates,
    "archived_at": _dates,
    "restore": st.booleans(),
}

_create = ("title", "state", "account_id")
BODIES = [
    Body("galtea", "POST", "/sessions", _galtea, ("versionId",), {400}, check_galtea_create,
         done=201),
    Body("galtea", "PATCH", "/galtea/sessions/{id}", _galtea, (), {400}, check_galtea_patch),
    Body("galtea", "PATCH", "/sessions/{id}/finish", _galtea, (), {400}, check_galtea_finish),
    Body("galtea", "DELETE", "/sessions/batch", {"ids": values}, ("ids",)),
    Body("mobilenext", "POST", "/api/v1/sessions/{id}/devices", {"filters": _filters},
         check=check_mobilenext_allocation, done=201),
    *(_notte_body(path, names) for path, names in NOTTE_FIELDS.items()),
    Body("scale", "POST", "/v4/sessions", _scale, _create, check=check_scale_create),
    Body("scale", "PATCH", "/v4/sessions/{id}", _scale, check=check_scale_echo),
]  # fmt: skip
_notte_list = ("page", "page_size", "only_active", "only_current_token", "include_system")
_scale_list = ("page", "limit", "account_id", "include_archived", "other")
QUERIES = [
    Query("galtea", "GET", "/galtea/sessions", _galtea_names, check_list),
    Query("galtea", "GET", "/versions", _galtea_names, check_list),
    Query("galtea", "GET", "/testCases", _galtea_names, check_list),
    Query("galtea", "GET", "/tests", _galtea_names, check_list),
    Query("mobilenext", "GET", "/api/v1/sessions", ("limit", "before"), check_mobilenext_page),
    Query("notte", "GET", "/notte/sessions/", _notte_list),
    Query("notte", "GET", "/notte/sessions/{id}", ("page", "x")),
    Query("notte", "DELETE", "/notte/sessions/{id}/stop", ("close_reason",)),
    Query("scale", "GET", "/v4/sessions", _scale_list, check_scale_page),
]
# Calls that take an id in their path, and the statuses of an answer to an unknown one.
_galtea_found = {200, 400, 404}
_scale_found = {200, 404, 405}
PATHS: list[tuple[str, str, str, set[int]]] = [
    ("galtea", "GET", "/galtea/sessions/{id}", _galtea_found),
    ("galtea", "GET", "/galtea/versions/{id}", _galtea_found),
    ("galtea", "GET", "/galtea/testCases/{id}", _galtea_found),
    ("galtea", "GET", "/galtea/tests/{id}", _galtea_found),
    ("mobilenext", "GET", "/api/v1/sessions/{id}", {404}),
    ("mobilenext", "GET", "/api/v1/sessions/{id}/devices", {404}),
    ("mobilenext", "GET", "/api/v1/nothing{id}", {404}),
    ("mobilenext", "POST", "/api/v1/sessions/{id}/devices/{id}/release", {404, 405}),
    ("mobilenext", "POST", "/api/v1/sessions/x/devices/{id}/release", {404, 405}),
    ("notte", "GET", "/notte/sessions/{id}", REFUSED["notte"]),
    ("notte", "GET", "/notte/sessions/{id}/x", REFUSED["notte"]),
    ("notte", "DELETE", "/notte/sessions/{id}/stop", REFUSED["notte"]),
    ("notte", "POST", "/notte/sessions/{id}/page/observe", REFUSED["notte"]),
    ("scale", "GET", "/v4/sessions/{id}", _scale_found),
    ("scale", "PATCH", "/v4/sessions/{id}", _scale_found),
    ("scale", "DELETE", "/v4/sessions/{id}", _scale_found),
]
