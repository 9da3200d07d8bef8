"""A story as a test for pytest, with the fixture `sessionary`."""

import re
from collections.abc import Iterator
from typing import Any

from sessionary.control.copied_tests.story import MARK, Step, Story
from sessionary.web.instants import to_text

_TEXT = '''"""Copied from Sessionary: what a session is at {at}, and the calls before."""

import json
from urllib.request import Request, urlopen

import pytest


def send(api, method, path, body=None, headers={{}}):
    """Send a request to a vendor's API; return the JSON of its response."""
    keys = {{"Authorization": f"Bearer {{api.key}}", "x-api-key": api.key}}
    data = None if body is None else json.dumps(body).encode()
    headers = {{"Content-Type": "application/json", **keys, **headers}}
    with urlopen(Request(api.url + path, data, headers, method=method)) as response:
        return json.loads(response.read() or b"null")


@pytest.mark.sessionary(now={begin})
def test_{surface}_session_is_{status_name}(sessionary):
    {lines}
    found = sessionary.explain(session)
    assert found["status"] == {status}
    assert found["since"] == {since}
    assert found["rule"] == {rule}
'''


def render(story: Story) -> str:
    """Write the test."""
    return _TEXT.format(
        at=to_text(story.at),
        begin=_literal(to_text(story.steps[0].at)),
        surface=story.surface,
        status_name=re.sub(r"\W+", "_", story.status).lower(),
        lines="\n    ".join(_lines(story)),
        **{name: _literal(getattr(story, name)) for name in ("status", "since", "rule")},
    )


def _lines(story: Story) -> Iterator[str]:
    at = story.steps[0].at
    for step in story.steps:
        if step.at != at:
            yield f"sessionary.clock.set({_literal(to_text(step.at))})"
        at = step.at
        yield from _step(story.surface, step)
    if at != story.at:
        yield f"sessionary.clock.set({_literal(to_text(story.at))})"


def _step(surface: str, step: Step) -> Iterator[str]:
    if step.forced is not None:
        yield f"sessionary.force(session, {_literal(step.forced)})"
        return
    given = [f"sessionary.{surface}", _literal(step.method), _literal(step.path)]
    if step.body is not None:
        given.append(_literal(step.body))
    if step.headers:
        given.append(f"headers={_literal(step.headers)}")
    yield f"{'answer = ' if step.saved else ''}send({', '.join(given)})"
    for name, keys in step.saved.items():
        yield f"{name} = answer{''.join(f'[{_literal(key)}]' for key in keys)}"


def _literal(value: Any) -> str:
    """Write a value in Python; a mark becomes the variable that it names."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_literal(k)}: {_literal(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_literal, value)) + "]"
    if not isinstance(value, str) or not MARK.search(value):
        return _quote(value) if isinstance(value, str) else repr(value)
    if MARK.fullmatch(value):
        return value.strip("\0")
    return "f" + _quote(MARK.sub(r"{\1}", value.replace("{", "{{").replace("}", "}}")))


def _quote(text: str) -> str:
    found = repr(text)
    return f'"{found[1:-1]}"' if not {'"', "\\", "'"} & set(found[1:-1]) else found
