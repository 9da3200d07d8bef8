"""Calls that users of notte-sdk make: `sdk_script_notte_sdk.py active closed timed_out url ...`.

Prints what each step gave, for each url.
"""

import asyncio
import json
import sys

from notte_sdk import AsyncNotteClient, NotteClient
from notte_sdk.errors import NotteAPIError

active, closed, timed_out, *urls = sys.argv[1:]


def refusal(call, *args, **arguments):
    """The exception that a call raises: its class, its status and its body."""
    try:
        call(*args, **arguments)
    except NotteAPIError as error:
        return [type(error).__name__, error.status_code, error.error]
    return None


def shown(response):
    return {**response.model_dump(mode="json"), "duration": response.duration.total_seconds()}


def page(observation):
    picture = observation.screenshot.bytes()
    actions = len(observation.space.interaction_actions)
    return {"url": observation.metadata.url, "actions": actions, "picture": picture[:2].hex()}


def walked(api):
    number, ids = 1, []
    while found := api.sessions.list(page=number, page_size=2, only_active=False):
        ids += [each.session_id for each in found]
        number += 1
    return ids


def lifecycle(api):
    heard = {}
    with api.Session(idle_timeout_minutes=5, user_agent="agent", proxies=False) as session:
        heard["started"] = shown(session.response)
        done = session.execute(type="goto", url="https://example.com/a")
        heard["executed"] = [done.success, done.action.model_dump()["url"]]
        heard["observed"] = page(session.observe())
        heard["scraped"] = session.scrape()
        heard["status"] = shown(session.status())
    heard["stopped"] = shown(session.response)
    session.stop()  # the client takes "already closed" for done
    try:
        with api.Session() as failing:
            raise KeyError
    except KeyError:
        heard["failed"] = shown(api.sessions.status(failing.session_id))
    heard["scraped alone"] = api.scrape("https://example.com")
    return heard


def others(api):
    """Sessions that this client did not start."""
    attached = api.Session(active)
    heard = {"v1": shown(attached.status())}
    attached.observe()
    attached.stop()
    heard["v1 stopped"] = shown(attached.response)
    heard["timed out"] = shown(api.sessions.status(timed_out))
    return heard


async def asynchronously(url):
    async with AsyncNotteClient(api_key="sk-notte-ana", server_url=url) as api:
        async with api.Session() as session:
            await session.execute(type="goto", url="https://example.com/b")
            observed = page(await session.observe())
        return [observed, shown(await api.sessions.status(session.session_id))["status"]]


def converse(url):
    def client(key="sk-notte-ana"):
        return NotteClient(api_key=key, server_url=url)

    api, stranger = client(), client("sk-notte-zoe")
    api.health_check()
    heard = {**lifecycle(api), **others(api)}
    heard["made"] = [api.sessions.start().session_id for _ in range(5)]
    heard["walked"], heard["walked by a stranger"] = walked(api), walked(stranger)
    heard["active"] = [each.session_id for each in api.sessions.list()]
    heard["asynchronously"] = asyncio.run(asynchronously(url))
    heard["refused"] = {
        "unknown": refusal(api.sessions.status, "nothing"),
        "foreign": refusal(stranger.sessions.status, active),
        "stop twice": refusal(api.sessions.stop, closed),
        "stop what timed out": refusal(api.sessions.stop, timed_out),
        "observe what timed out": refusal(api.sessions.page.observe, timed_out),
        "idle over the maximum": refusal(api.Session(idle_timeout_minutes=16).start),
        "page size": refusal(api.sessions.list, page_size=101),
        "unknown key": refusal(client("unknown").sessions.list),
    }
    return heard


NotteClient().health_check()  # as the environment points it
print(json.dumps([converse(url) for url in urls]))
