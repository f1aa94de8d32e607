"""The Slack app's manifest: its scopes and events, and the URL that Slack sends them to."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import urlsplit

from bot.model import AskPyError
from bot.slack.transport.http import EVENTS

SCOPES = ("app_mentions:read", "chat:write", "commands", "im:history")
"""The bot's scopes: only those that it needs, because the installing person has to approve each one."""
BOT_EVENTS = ("app_home_opened", "app_mention", "message.im", "app_uninstalled", "tokens_revoked")

MAX_APP_NAME, MAX_DESCRIPTION = 35, 140
"""Characters that Slack allows in an app's name and in its description."""
MAX_SHORTCUT_NAME = 24
"""Characters that Slack allows in a shortcut's name."""
REDIRECT = "/slack/oauth_redirect"
"""Path to which Slack sends back who has allowed the app in their workspace."""
_URL_REMEDY = "write https:// and the bot's host, such as https://askpy.example.com"


def request_url(url: str) -> str:
    """The URL that Slack sends events to, from the bot's public `url`.

    Raises:
        AskPyError: `url` isn't an https URL of a host.
    """
    try:
        parts = urlsplit(url.strip())
        host, _ = parts.hostname, parts.port
    except ValueError:
        raise AskPyError(f"--url is no web address: {_URL_REMEDY}.") from None
    if parts.scheme != "https" or not host or any(map(str.isspace, url.strip())):
        raise AskPyError(f"--url must be the bot's public https address: {_URL_REMEDY}.")
    if parts.query or parts.fragment or parts.username is not None:
        raise AskPyError(f"--url must be an address without a ?, a # or a user: {_URL_REMEDY}.")
    return f"{url.strip().rstrip('/').removesuffix(EVENTS)}{EVENTS}"


def manifest(url: str | None = None, name: str = "AskPy", about: str = "", *, oauth: bool = False) -> dict[str, Any]:
    """The manifest.

    For many workspaces tokens are rotated: each is good for twelve hours, so that one from an old backup opens nothing. With one
    workspace the token stands in the settings, which nothing could change.

    Args:
        url: the bot's public URL for HTTP; None for Socket Mode.
        name: the pack's name, which the app gets.
        about: what the pack is about, the app's description.
        oauth: whether it is to be installed into many workspaces, for which `url` is needed.
    """
    address = request_url(url) if url is not None else None
    redirect = {"redirect_urls": [f"{address.removesuffix(EVENTS)}{REDIRECT}"]} if oauth and address else {}
    name = _one_line(name, MAX_APP_NAME) or "AskPy"
    about = _one_line(about, MAX_DESCRIPTION)
    about = (
        "Curated answers" if about in ("", name) else about
    )  # a pack that doesn't say what it is about has its name there
    command = {
        "command": "/askpy",
        "description": _one_line(f"Ask {name} a question", MAX_DESCRIPTION),
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
            "bot_user": {"display_name": _bot_handle(name), "always_online": True},
            "shortcuts": [
                {
                    "name": _one_line(f"Ask {name}", MAX_SHORTCUT_NAME),
                    "type": "message",
                    "callback_id": "ask_message",
                    "description": "Look this message up",
                },
                {
                    "name": "Save as answer",
                    "type": "message",
                    "callback_id": "save_answer",
                    "description": "For curators: make an answer of it",
                },
            ],
            "slash_commands": [{"url": address} | command if address else command],
        },
        "oauth_config": {"scopes": {"bot": list(SCOPES)}} | redirect,
        "settings": {
            "event_subscriptions": {"bot_events": list(BOT_EVENTS)} | ({"request_url": address} if address else {}),
            "interactivity": {"is_enabled": True}
            | ({"request_url": address, "message_menu_options_url": address} if address else {}),
            "org_deploy_enabled": oauth,
            "socket_mode_enabled": address is None,
            "token_rotation_enabled": oauth,
        },
    }


def _one_line(text: str, limit: int) -> str:
    """`text` on one line in at most `limit` characters; with an ellipsis if it is longer."""
    line = " ".join(text.split())
    return line if len(line) <= limit else line[: limit - 1].rstrip() + "…"


def _bot_handle(name: str) -> str:
    """The bot's user name: letters, digits, dots, dashes and underscores in lower case."""
    handle = re.sub(r"[^a-z0-9._-]+", "-", name.lower()).strip("-._")
    return handle[:MAX_APP_NAME] or "askpy"
