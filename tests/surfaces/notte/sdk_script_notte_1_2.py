"""Calls that users of notte 1.2 make: `sdk_script_notte_1_2.py active timed_out url ...`.

Prints what each step gave, for each url.
"""

import json
import sys

from notte.sdk.client import NotteClient

active, timed_out, *urls = sys.argv[1:]


def refusal(call, **arguments):
    """The exception that a call raises: its class, and its body if it has one."""
    try:
        call(**arguments)
    except ValueError as error:  # pydantic's is one as well
        body = error.args[0] if error.args and isinstance(error.args[0], dict) else None
        return [type(error).__name__, body]
    return None


def session(response):
    return {**response.model_dump(mode="json"), "duration": response.duration.total_seconds()}


def page(observation):
    shown = observation.screenshot
    return {
        "url": observation.metadata.url,
        "title": observation.metadata.title,
        "timestamp": observation.metadata.timestamp.isoformat(),
        "screenshot": None if shown is None else shown.decode(),
        "space": observation.has_space(),
        "data": observation.has_data(),
    }


def converse(url):
    def client(key="sk-notte-ana"):
        return NotteClient(api_key=key, server_url=url)

    heard = {}
    one = client()
    heard["started"] = session(one.start(session_timeout_minutes=7))
    heard["observed"] = page(one.observe(url="https://example.com/a", screenshot=True))
    heard["stepped"] = page(one.step(action_id="B1"))
    heard["scraped"] = page(one.scrape())
    heard["remembered"] = one.session_id
    heard["closed"] = session(one.close())
    heard["forgotten"] = one.session_id

    two = client()
    first = two.start().session_id
    second = two.start().session_id
    heard["a second start closes the first"] = [
        first != second,
        session(client().close(session_id=first))["status"],
    ]

    with client() as three:
        inside = three.session_id
    heard["after with"] = session(client().close(session_id=inside))["status"]

    four = client()
    heard["observed without a session"] = page(four.observe(url="https://example.com/b"))
    heard["kept"] = refusal(four.step, session_id=active, action_id="B1", keep_alive=True)

    five = client()
    five.start(keep_alive=False)
    five.observe()
    heard["closed by its operation"] = [five.session_id, refusal(five.observe)]

    heard["joined"] = session(client().start(session_id=active))
    heard["timed out"] = session(client().close(session_id=timed_out))
    heard["refused"] = {
        "unknown": refusal(client().start, session_id="nothing"),
        "timed out": refusal(client().observe, session_id=timed_out),
        "thirty": refusal(client().start, session_timeout_minutes=30),
        "thirty-one": refusal(client().start, session_timeout_minutes=31),
        "zero": refusal(client().start, session_timeout_minutes=0),
        "no session to close": refusal(client().close),
        "nowhere to look": refusal(client().observe),
        "nothing to scrape": refusal(client().scrape),
        "foreign": refusal(client("sk-notte-zoe").close, session_id=active),
        "unknown key": refusal(client("unknown").start),
    }
    return heard


print(json.dumps([converse(url) for url in urls]))
