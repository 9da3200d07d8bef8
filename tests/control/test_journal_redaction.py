"""Redaction: credentials never reach the journal."""

from typing import Any
from urllib.parse import quote

import pytest

from sessionary.control.journal import recorder
from sessionary.control.journal.redaction import Redactor
from sessionary.factory import create_double
from tests.conftest import double_settings
from tests.control.conftest import GALTEA, Double

SECRET = "gsk_Xj4kQ9/very+secret"
JSON = {"Content-Type": "application/json"}


def stored_text(double: Double) -> str:
    """Return all that the journal stores, as one text."""
    with double.control.namespace.activate():
        rows = double.control.namespace.database.run("SELECT * FROM control_call").fetchall()
    return repr(rows)


def redact(secret: str, text: str) -> str:
    """Redact a text of a request with this secret, where keys begin with `acme-`."""
    return Redactor(["acme-"]).redact({"HTTP_X_API_KEY": secret}, {"text": text})["text"]


@pytest.mark.parametrize(
    ("headers", "body"),
    [
        ({"Authorization": f"Bearer {SECRET}"}, {"note": f"my key is {SECRET}!"}),
        ({"Authorization": f"Bearer {SECRET}"}, {"context": {"deep": [SECRET]}}),
        (GALTEA, {"api_key": SECRET, "apiKey": SECRET, "x-api-key": SECRET}),
        (GALTEA, {"metadata": {"access_token": SECRET, "Password": SECRET, "key": SECRET}}),
        ({"x-api-key": SECRET}, {"x": SECRET}),
    ],
)
def test_no_credential_is_recorded(double: Double, headers: dict[str, str], body: Any) -> None:
    query = (
        f"?api_key={quote(SECRET)}&x={SECRET}&y={quote(SECRET)}&z={quote(SECRET, '')}"
        if SECRET in str(headers)
        else "?token=abc"
    )
    path = f"/galtea/sessions/{quote(SECRET, safe='')}" if SECRET in str(headers) else "/galtea/x"
    double.client.post(f"{path}{query}", json=body, headers=headers)
    kept = stored_text(double)
    assert "very" not in kept
    assert "abc" not in kept
    assert "[redacted]" in kept


def test_a_credential_in_place_of_a_session_is_not_recorded(double: Double) -> None:
    headers = {"Authorization": "Bearer gsk_very_secret"}
    double.client.get("/galtea/sessions/gsk_very_secret", headers=headers)
    assert "very" not in stored_text(double)
    assert double.newest_call()["session"] == "[redacted]"


@pytest.mark.parametrize("prefix", ["", "sk-notte-"])
def test_a_created_key_or_the_control_token_in_a_path_is_not_recorded(prefix: str) -> None:
    app = create_double(double_settings(control_token="hush-hush"))
    for secret in (prefix + ("a1B2" * 11)[:43], "hush-hush"):
        for path in (f"/notte/sessions/{secret}", f"/nowhere/{secret}/x", f"//{secret}"):
            app.test_client().get("/", environ_overrides={"PATH_INFO": path})
    namespace = app.extensions["sessionary"]
    with namespace.activate():
        rows = namespace.database.run("SELECT path, session FROM control_call").fetchall()
    assert len(rows) == 6
    assert all("[redacted]" in path for path, _ in rows)
    assert "a1B2" not in repr(rows)
    assert "hush" not in repr(rows)
    namespace.close()


def test_a_text_shaped_like_a_vendors_key_is_not_recorded(double: Double) -> None:
    secret = "sk-notte-" + "a1B2" * 10
    body = {"versionId": "ver_1", "metadata": {"note": f"use {secret}"}}
    double.client.post("/galtea/sessions", json=body, headers=GALTEA)
    assert "a1B2a1B2" not in stored_text(double)
    assert double.newest_call()["body"]["metadata"] == {"note": "use [redacted]"}


def test_a_short_key_is_redacted_only_where_it_stands_alone(double: Double) -> None:
    body = {"title": "a cat", "state": {"a": "b"}, "account_id": "a"}
    double.client.post("/scale/v4/sessions", json=body, headers={"x-api-key": "cat"})
    assert double.newest_call()["body"] == {**body, "title": "a [redacted]"}


def test_a_secret_at_the_cut_leaves_no_part(double: Double) -> None:
    body = '{"a": "' + "x" * (recorder.MAX_TEXT - 12) + SECRET + '"}'
    headers = {"Authorization": f"Bearer {SECRET}", **JSON}
    double.client.post("/galtea/sessions", data=body, headers=headers)
    assert SECRET[:4] not in stored_text(double)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("?token=a&b-secret&x=1", "?token=[redacted]&x=1"),
        ('{"token": "a&b-secret", "x": 1}', '{"token": "[redacted]", "x": 1}'),
        ("?a&b-secret-token=1", "?[redacted]-token=1"),
    ],
)
def test_a_secret_with_a_separator_is_redacted_whole(text: str, expected: str) -> None:
    assert redact("a&b-secret", text) == expected


def test_a_secret_in_the_name_of_a_secret_member_is_redacted() -> None:
    assert redact("my-secret", '{"my-secret": "x"}') == '{"[redacted]": "[redacted]"}'


def test_a_key_in_the_name_of_a_secret_parameter_is_redacted() -> None:
    text = f"acme-{'k' * 20}token=1"
    assert redact("unrelated", text) == "[redacted]=[redacted]"


def test_keys_are_recognized_by_the_prefixes_of_the_surfaces() -> None:
    text = f"acme-{'k' * 20} acme_{'k' * 20} other-{'k' * 20} acme-short"
    assert redact("unrelated", text) == f"[redacted] [redacted] other-{'k' * 20} acme-short"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (f"my-secretacme-{'k' * 20} x", "[redacted][redacted] x"),
        (f"my-secretacme-{'k' * 20}.", "[redacted][redacted]."),
        (f'{{"token": 1acme-{"k" * 20}', '{"token": "[redacted]"'),
    ],
)
def test_a_key_directly_after_a_secret_is_redacted(text: str, expected: str) -> None:
    assert redact("my-secret", text) == expected


def test_texts_without_credentials_are_unchanged() -> None:
    texts = {"path": "/sessions", "body": '{"status": "active"}'}
    assert Redactor(["acme-"]).redact({"HTTP_X_API_KEY": "unrelated"}, texts) == texts
