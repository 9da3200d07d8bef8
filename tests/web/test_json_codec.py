import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sessionary.web import json_codec
from sessionary.web.json_codec import BadDocument, decode, encode, parse, to_bytes

json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(codec=None)),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


@given(st.dictionaries(st.text(st.characters(codec=None)), json_values, max_size=5))
@settings(max_examples=200)
def test_a_value_is_encoded_back_equal_and_in_order(value: dict[str, object]) -> None:
    sent = json.dumps(value).encode()
    echoed = decode(encode(parse(sent)))
    assert echoed == value
    assert list(echoed) == list(value)


@pytest.mark.parametrize(
    "value",
    [
        '{"n": 9007199254740993}',
        '{"n": %s}' % ("9" * 4300),
        '{"s": "\\ud800"}',
        '{"": {"$": 1, ".": 2, "__proto__": 3}}',
        '{"s": "\\u2028"}',
        '{"deep": ' + '{"d": ' * 98 + "null" + "}" * 99,
    ],
)
def test_unusual_but_legal_values_are_accepted(value: str) -> None:
    assert encode(parse(value.encode())) == json.dumps(json.loads(value), separators=(",", ":"))


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (b"{", "not valid JSON"),
        (b"[]", "not a JSON object"),
        (b"null", "not a JSON object"),
        (b'"text"', "not a JSON object"),
        (b'{"n": NaN}', "NaN"),
        (b'{"n": -Infinity}', "Infinity"),
        (b'{"n": 1e999}', "too large"),
        (b'{"n": -1e999}', "too large"),
        (b'{"n": %s}' % (b"9" * 4301), "^an integer has more than 4300 digits$"),
        (b'{"s": "\xff"}', "^not valid JSON: byte 7 is not UTF-8$"),
        (b"\xef\xbb\xbf\xef\xbb\xbf{}", "not valid JSON"),
        (b"{}{}", "not valid JSON"),
        ("{}".encode("utf-16"), "not valid JSON"),
        (b'{"a": ' + b"[" * 100 + b"]" * 100 + b"}", "deeper than 100"),
        (b'{"a": ' + b"[" * 50_000 + b"]" * 50_000 + b"}", "deeper than 100"),
        (b'{"a": ' * 50_000, "deeper than 100"),
    ],
)
def test_a_body_over_a_limit_is_refused_with_the_reason(body: bytes, why: str) -> None:
    with pytest.raises(BadDocument, match=why):
        parse(body)


def test_many_shallow_values_are_not_deep() -> None:
    body = json.dumps({"rows": [{} for _ in range(1_000)]}).encode()
    assert len(parse(body)["rows"]) == 1_000


def test_the_last_of_duplicate_keys_wins() -> None:
    assert parse(b'{"a": 1, "a": 2}') == {"a": 2}


@pytest.mark.parametrize("with_orjson", [True, False])
@given(value=st.dictionaries(st.text(st.characters(codec=None)), json_values, max_size=5))
@settings(max_examples=100, suppress_health_check=list(HealthCheck))
def test_a_response_is_the_same_value_with_orjson_and_without(
    monkeypatch: pytest.MonkeyPatch, with_orjson: bool, value: dict[str, object]
) -> None:
    if with_orjson:
        orjson = pytest.importorskip("orjson", reason="an extra, part of `test`")
        monkeypatch.setattr(json_codec, "_quick_bytes", orjson.dumps)
    else:
        monkeypatch.setattr(json_codec, "_quick_bytes", None)
    body = json.loads(to_bytes(value))
    assert body == value
    assert list(body) == list(value)


def test_a_value_that_orjson_refuses_is_encoded_without_it() -> None:
    assert to_bytes({"n": 2**64}) == b'{"n":18446744073709551616}'
    assert to_bytes({"s": "\ud800"}) == b'{"s":"\\ud800"}'
