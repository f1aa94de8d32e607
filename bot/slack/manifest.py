"""The Slack app's manifest: what it may do and where Slack sends what happens."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import urlsplit

from bot.model import AskPyError
from bot.slack.http import EVENTS

SCOPES = ("app_mentions:read", "chat:write", "commands", "im:history")
"""All that the bot may do. Each one more is one more question for whoever installs it."""
BOT_EVENTS = ("app_home_opened", "app_mention", "message.im", "app_uninstalled", "tokens_revoked")


LONGEST_NAME, LONGEST_DESCRIPTION = 35, 140
"""Characters that Slack takes of an app's name and of its description."""
LONGEST_SHORTCUT = 24
"""Characters that Slack takes of a shortcut's name."""
_MEANT = "write https:// and the bot's host, such as https://askpy.example.com"


def address_of(url: str) -> str:
    """Where Slack sends what happens, at the bot's public address; raises AskPyError if that is none."""
    try:
        parts = urlsplit(url.strip())
        host, _ = parts.hostname, parts.port
    except ValueError:
        raise AskPyError(f"--url is no web address: {_MEANT}.") from None
    if parts.scheme != "https" or not host or any(map(str.isspace, url.strip())):
        raise AskPyError(f"--url must be the bot's public https address: {_MEANT}.")
    if parts.query or parts.fragment or parts.username is not None:
        raise AskPyError(f"--url must be an address without a ?, a # or a user: {_MEANT}.")
    return f"{url.strip().rstrip('/').removesuffix(EVENTS)}{EVENTS}"


def manifest(url: str | None = None, name: str = "AskPy", about: str = "") -> dict[str, Any]:
    """The manifest for Socket Mode, or for HTTP at the public address `url`; the pack says its `name` and what it is
    `about`."""
    address = address_of(url) if url is not None else None
    name = _cut(name, LONGEST_NAME) or "AskPy"
    about = _cut(about, LONGEST_DESCRIPTION) or "Curated answers"
    command = {
        "command": "/askpy",
        "description": _cut(f"Ask {name} a question", LONGEST_DESCRIPTION),
        "usage_hint": "[question] | help",
        "should_escape": True,
    }
    return {
        "_metadata": {"major_version": 1, "minor_version": 1},
        "display_information": {
            "name": name,
            "description": about,
            "background_color": "#1d3b5c",
        },
        "features": {
            "app_home": {
                "home_tab_enabled": True,
                "messages_tab_enabled": True,
                "messages_tab_read_only_enabled": False,
            },
            "bot_user": {"display_name": _handle(name), "always_online": True},
            "shortcuts": [
                {
                    "name": _cut(f"Ask {name}", LONGEST_SHORTCUT),
                    "type": "message",
                    "callback_id": "ask_message",
                    "description": "Look this message up",
                }
            ],
            "slash_commands": [{"url": address} | command if address else command],
        },
        "oauth_config": {"scopes": {"bot": list(SCOPES)}},
        "settings": {
            "event_subscriptions": {"bot_events": list(BOT_EVENTS)} | ({"request_url": address} if address else {}),
            "interactivity": {"is_enabled": True}
            | ({"request_url": address, "message_menu_options_url": address} if address else {}),
            "org_deploy_enabled": False,
            "socket_mode_enabled": address is None,
            "token_rotation_enabled": False,
        },
    }


def _cut(text: str, most: int) -> str:
    """One line of at most so many characters, with a mark where something is missing."""
    line = " ".join(text.split())
    return line if len(line) <= most else line[: most - 1].rstrip() + "…"


def _handle(name: str) -> str:
    """The bot's user name: letters, digits, dots, dashes and underscores in lower case."""
    kept = re.sub(r"[^a-z0-9._-]+", "-", name.lower()).strip("-._")
    return kept[:LONGEST_NAME] or "askpy"
