"""Between several processes of the bot and local-slack, which sends each payload to all WebSockets of an app.

Slack sends it to one of them. So does this relay: each kind of payload to its processes in turn, which it also remembers.
"""

from __future__ import annotations

import asyncio
import json
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import aiohttp
from aiohttp import web

from support.local_slack import LocalSlack, free_port

NOT_FORWARDED = frozenset({"host", "content-length", "transfer-encoding", "content-encoding", "connection", "date"})


class Turns:
    """The relay. A process is known by its name, which is a part of its SLACK_API_URL.

    Attributes:
        given: how many payloads of which kind each process was given: (name, "interactive"), (name, "app_mention") and so on.
    """

    def __init__(self, slack: LocalSlack) -> None:
        self._slack, self._port = slack, free_port()
        self._connected = Counter[str]()
        self._owners: dict[str, str] = {}
        self._delivered: set[str] = set()
        self._kinds = Counter[str]()
        self.given = Counter[tuple[str, str]]()

    def api_url(self, name: str) -> str:
        return f"http://127.0.0.1:{self._port}/{name}/api/"

    def connected(self) -> frozenset[str]:
        """The processes whose WebSocket is open."""
        return frozenset(+self._connected)

    async def serve(self, ready: threading.Event, stop: asyncio.Event) -> None:
        app = web.Application()
        app.router.add_get("/{name}/socket/{id}", self._socket)
        app.router.add_route("*", "/{name}/api/{method}", self._call)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
        await runner.setup()
        async with aiohttp.ClientSession() as self._session:
            await web.TCPSite(runner, "127.0.0.1", self._port).start()
            ready.set()
            await stop.wait()
            await runner.cleanup()

    async def _call(self, request: web.Request) -> web.Response:
        """Pass a Web API call on; the address of a WebSocket in the answer is changed to one of this relay."""
        method, name = request.match_info["method"], request.match_info["name"]
        headers = {key: value for key, value in request.headers.items() if key.lower() not in NOT_FORWARDED}
        url = f"{self._slack.url}/api/{method}"
        async with self._session.request(
            request.method, url, params=request.query, headers=headers, data=await request.read()
        ) as answer:
            body = await answer.read()
        if method == "apps.connections.open":
            path = json.loads(body)["url"].partition("/socket/")[2]
            body = json.dumps({"ok": True, "url": f"ws://127.0.0.1:{self._port}/{name}/socket/{path}"}).encode()
        return web.Response(status=answer.status, body=body, headers={"content-type": "application/json"})

    async def _socket(self, request: web.Request) -> web.WebSocketResponse:
        """Pass on what local-slack sends to one process and what it acknowledges, until either of them hangs up."""
        name, here = request.match_info["name"], web.WebSocketResponse()
        await here.prepare(request)
        async with self._session.ws_connect(f"{self._slack.url}/socket/{request.match_info['id']}") as there:
            pumps = [asyncio.ensure_future(self._to_bot(name, there, here)), asyncio.ensure_future(_pass(here, there))]
            await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
            for pump in pumps:
                pump.cancel()
        return here

    async def _to_bot(self, name: str, there: aiohttp.ClientWebSocketResponse, here: web.WebSocketResponse) -> None:
        await here.send_str(await there.receive_str())  # hello: from now on local-slack sends it everything
        self._connected[name] += 1
        try:
            async for message in there:
                if message.type is aiohttp.WSMsgType.TEXT and self._is_for(name, json.loads(message.data)):
                    await here.send_str(message.data)
        finally:
            self._connected[name] -= 1

    def _is_for(self, name: str, envelope: dict[str, Any]) -> bool:
        """Whether it is this process's turn, and it hasn't got the envelope by another connection."""
        key, kind = envelope["envelope_id"], envelope["type"]
        if kind == "events_api":
            kind = envelope["payload"]["event"]["type"]
        if key not in self._owners:
            names = sorted(self.connected())
            self._owners[key] = names[self._kinds[kind] % len(names)]
            self._kinds[kind] += 1
        if self._owners[key] != name or key in self._delivered:
            return False
        self._delivered.add(key)
        self.given[name, kind] += 1
        return True


async def _pass(here: web.WebSocketResponse, there: aiohttp.ClientWebSocketResponse) -> None:
    async for message in here:
        if message.type is aiohttp.WSMsgType.TEXT:
            await there.send_str(message.data)


@contextmanager
def turns(slack: LocalSlack) -> Iterator[Turns]:
    """The relay before a local-slack, until the block ends."""
    made, ready, loop, stop = Turns(slack), threading.Event(), asyncio.new_event_loop(), asyncio.Event()
    thread = threading.Thread(target=lambda: loop.run_until_complete(made.serve(ready, stop)), name="turns")
    thread.start()
    try:
        assert ready.wait(10)
        yield made
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join(10)
        loop.close()
