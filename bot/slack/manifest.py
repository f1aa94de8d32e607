"""The Slack app's manifest: what it may do and where Slack sends what happens."""

from __future__ import annotations

from typing import Any

from bot.slack.http import EVENTS

SCOPES = ("app_mentions:read", "chat:write", "commands", "im:history")
"""All that the bot may do. Each one more is one more question for whoever installs it."""
BOT_EVENTS = ("app_home_opened", "app_mention", "message.im", "app_uninstalled", "tokens_revoked")


def manifest(url: str | None = None) -> dict[str, Any]:
    """The manifest for Socket Mode, or for HTTP at the public address `url`."""
    address = f"{url.rstrip('/')}{EVENTS}" if url else None
    command = {
        "command": "/askpy",
        "description": "Ask a Python question",
        "usage_hint": "[question] | list backend | compare flask django | roadmap | help",
        "should_escape": True,
    }
    return {
        "_metadata": {"major_version": 1, "minor_version": 1},
        "display_information": {
            "name": "AskPy",
            "description": "Curated answers about Python, frontend and backend",
            "background_color": "#1d3b5c",
        },
        "features": {
            "app_home": {
                "home_tab_enabled": True,
                "messages_tab_enabled": True,
                "messages_tab_read_only_enabled": False,
            },
            "bot_user": {"display_name": "askpy", "always_online": True},
            "shortcuts": [
                {
                    "name": "Ask AskPy",
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
            "interactivity": {"is_enabled": True} | ({"request_url": address} if address else {}),
            "org_deploy_enabled": False,
            "socket_mode_enabled": address is None,
            "token_rotation_enabled": False,
        },
    }
