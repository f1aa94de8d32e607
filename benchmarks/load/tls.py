"""CPU of a post over TLS, beside that of a post without, on kept connections: `python -m benchmarks.load.tls`.

The stand-in Slack is a process of its own on loopback, with a certificate that `openssl` signs when this starts; what is
counted is the CPU of this process alone. A post has 12 blocks, and its answer holds the whole message, as Slack's does.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import ssl
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Any

MOST_CPU, MOST_RATIO = 0.6, 1.4
"""Milliseconds of a post over TLS, and how many times the CPU of one without it may cost."""
SENTENCE = (
    "Flask is small and lets you choose: routing, templates and a development server, and the rest is up to you. "
)


def main() -> int:
    options = _options()
    with tempfile.TemporaryDirectory(prefix="askpy-tls-") as folder:
        certificate, key = _certificate(Path(folder))
        os.environ["SSL_CERT_FILE"] = str(certificate)
        with _server() as plain, _server(certificate, key) as secure:
            costs = asyncio.run(_measure({"plain": plain, "tls": secure}, options.posts, options.rounds, options.sdk))
    plain_cost, tls_cost = (median(costs[name]) * 1000 for name in ("plain", "tls"))
    ratio = tls_cost / plain_cost
    print(
        f"{options.rounds} rounds of {options.posts} posts of 12 blocks ({len(json.dumps(_message()))} bytes), one by one"
    )
    print(f"plain {plain_cost:.3f} ms CPU a post · TLS on a kept connection {tls_cost:.3f} ms (at most {MOST_CPU})")
    print(f"TLS beside plain {ratio:.2f} times (at most {MOST_RATIO})")
    return 0 if tls_cost <= MOST_CPU and ratio <= MOST_RATIO else 1


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--posts", type=int, default=500)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--sdk", action="store_true", help="by slack_sdk's client, for comparison")
    return parser.parse_args()


async def _measure(urls: dict[str, str], posts: int, rounds: int, sdk: bool) -> dict[str, list[float]]:
    """Seconds of CPU a post, of each address and round; rounds alternate."""
    from bot.slack.transport.client import Request, Sent, SlackClient, SlackConfig  # reads SSL_CERT_FILE once

    costs: dict[str, list[float]] = {name: [] for name in urls}
    clients = {name: SlackClient(SlackConfig(bot_token="xoxb-1", api_url=url)) for name, url in urls.items()}
    request = Request(method="chat.postMessage", args=_message())
    for client in clients.values():
        await client.open()

    async def post(client: SlackClient) -> None:
        if sdk:
            await client.web().api_call("chat.postMessage", json=dict(request.args))
        elif (outcome := await client.post_once(request)) != Sent():
            raise SystemExit(f"The stand-in took no post: {outcome}")

    for turn in range(rounds + 1):
        for name, client in clients.items():
            await post(client)
            started = time.process_time()
            for _ in range(posts):
                await post(client)
            if turn:  # the first warms up
                costs[name].append((time.process_time() - started) / posts)
    for client in clients.values():
        await client.close()
    return costs


def _message() -> dict[str, Any]:
    section = {"type": "section", "text": {"type": "mrkdwn", "text": SENTENCE}}
    rich = {
        "type": "rich_text",
        "elements": [{"type": "rich_text_section", "elements": [{"type": "text", "text": SENTENCE}]}],
    }
    button = {
        "type": "button",
        "action_id": "ask:1",
        "text": {"type": "plain_text", "text": "Django"},
        "value": "django",
    }
    actions = {"type": "actions", "block_id": "b", "elements": [button, button | {"action_id": "ask:2"}]}
    return {
        "channel": "C1", "thread_ts": "1700000000.000001", "text": SENTENCE * 8, "mrkdwn": False,
        "unfurl_links": False, "unfurl_media": False, "client_msg_id": "5f0c1a52-6d0e-5b0a-9f7e-0a5b9d1c7e11",
        "blocks": [section, rich, actions] * 4,
    }  # fmt: skip


def _certificate(folder: Path) -> tuple[Path, Path]:
    certificate, key = folder / "certificate.pem", folder / "key.pem"
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    command += ["-days", "2", "-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"]
    command += ["-keyout", str(key), "-out", str(certificate)]
    subprocess.run(command, check=True, capture_output=True)
    return certificate, key


@contextmanager
def _server(*certificate: Path) -> Iterator[str]:
    """The base URL of a stand-in in a process of its own, over TLS where there is a certificate."""
    command = [sys.executable, "-m", "benchmarks.load.tls", "serve", *map(str, certificate)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        port = int(process.stdout.readline())
        try:
            yield f"http{'s' if certificate else ''}://127.0.0.1:{port}/api/"
        finally:
            process.kill()


async def serve(certificate: list[str]) -> None:
    """Answer every POST with `ok` and the message, and keep the connection."""
    context = None
    if certificate:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(*certificate)

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while not reader.at_eof():
            try:
                head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
            except asyncio.IncompleteReadError:
                break
            body = await reader.readexactly(int(head.partition("content-length:")[2].partition("\r\n")[0]))
            answer = b'{"ok":true,"channel":"C1","ts":"1700000000.000002","message":' + body + b"}"
            headers = f"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {len(answer)}\r\n\r\n"
            writer.write(headers.encode() + answer)
            await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0, ssl=context)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    if sys.argv[1:2] == ["serve"]:
        asyncio.run(serve(sys.argv[2:]))
    else:
        sys.exit(main())
