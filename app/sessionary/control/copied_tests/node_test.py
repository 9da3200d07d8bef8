"""A story as a test for `node --test`, against a double that runs."""

import json
from collections.abc import Iterator
from typing import Any

from flask import request

from sessionary.control.copied_tests.story import MARK, Step, Story
from sessionary.web.instants import to_text

_TEXT = """\
// Copied from Sessionary: what a session is at {at}, and the calls before.
import assert from "node:assert/strict";
import {{ test }} from "node:test";

const double = process.env.SESSIONARY_URL ?? {url};
const key = {key};

async function send(method, path, body, headers = {{}}) {{
  const keys = {{ Authorization: `Bearer ${{key}}`, "x-api-key": key }};
  const response = await fetch(double + path, {{
    method,
    headers: {{ "Content-Type": "application/json", ...keys, ...headers }},
    body: body && JSON.stringify(body),
  }});
  const text = await response.text();
  assert.ok(response.ok, text);
  return text && JSON.parse(text);
}}

test({title}, async (t) => {{
  const {{ name }} = await send("POST", "/_control/v1/namespaces", {{ now: {begin} }});
  t.after(() => send("DELETE", `/_control/v1/namespaces/${{name}}`));
  const control = `/~${{name}}/_control/v1`;
  const setClock = (now) => send("PUT", `${{control}}/clock`, {{ mode: "frozen", now }});
  {lines}
  const found = await send("GET", `${{control}}/sessions/{surface}/${{session}}/explain`);
  assert.equal(found.status, {status});
  assert.equal(found.since, {since});
  assert.equal(found.rule, {rule});
}});
"""


def render(story: Story) -> str:
    """Write the test."""
    return _TEXT.format(
        at=to_text(story.at),
        key=_literal(story.key),
        begin=_literal(to_text(story.steps[0].at)),
        surface=story.surface,
        title=_literal(f"a session of {story.surface} is {story.status}"),
        url=_literal(request.host_url.rstrip("/")),
        lines="\n  ".join(_lines(story)),
        **{name: _literal(getattr(story, name)) for name in ("status", "since", "rule")},
    )


def _lines(story: Story) -> Iterator[str]:
    at = story.steps[0].at
    for number, step in enumerate(story.steps, 1):
        if step.at != at:
            yield f"await setClock({_literal(to_text(step.at))});"
        at = step.at
        yield from _step(story.surface, number, step)
    if at != story.at:
        yield f"await setClock({_literal(to_text(story.at))});"


def _step(surface: str, number: int, step: Step) -> Iterator[str]:
    method, body, prefix = step.method, step.body, f"/~\0name\0/{surface}"
    path, headers = prefix + step.path, step.headers
    if step.forced is not None:
        path = f"\0control\0/sessions/{surface}/\0session\0/force"
        method, body = "POST", {"status": step.forced}
    given = [_literal(method), _literal(path)]
    if body is not None or headers:
        given.append("undefined" if body is None else _literal(body))
    if headers:
        given.append(_literal(headers))
    answer = f"answer{number}"
    yield f"{f'const {answer} = ' if step.saved else ''}await send({', '.join(given)});"
    for name, keys in step.saved.items():
        place = "".join(f"[{_literal(key)}]" for key in keys)
        yield f"const {name} = {answer}{place};"


def _literal(value: Any) -> str:
    """Write a value in JavaScript; a mark becomes the variable that it names."""
    if isinstance(value, dict):
        inside = ", ".join(f"{json.dumps(key)}: {_literal(each)}" for key, each in value.items())
        return f"{{ {inside} }}" if inside else "{}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_literal, value)) + "]"
    if not isinstance(value, str) or not MARK.search(value):
        return json.dumps(value)
    if MARK.fullmatch(value):
        return value.strip("\0")
    escaped = json.dumps(value.replace("\0", "\ue000"))[1:-1].replace('\\"', '"')
    escaped = escaped.replace("`", "\\`").replace("${", "\\${")
    return "`" + MARK.sub(r"${\1}", escaped.replace("\\ue000", "\0")) + "`"
