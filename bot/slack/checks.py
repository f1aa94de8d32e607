"""What `doctor` looks at on Slack's side: each credential, what it may do, the address, and the clock."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from urllib.error import URLError

from slack_sdk.errors import SlackApiError
from slack_sdk.web import SlackResponse

from bot.settings import Settings
from bot.slack.access import WHERE, Access
from bot.slack.manifest import SCOPES

CLOCK_MAY_DIFFER = 60
"""Seconds. Slack's signatures are refused after 300, so this warns in time."""

_SECRET = re.compile(r"[0-9a-f]{32}")


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at: `fault` is empty if it is fine, else what is wrong and how it is mended."""

    name: str
    told: str = ""
    fault: str = ""


def check(settings: Settings) -> list[Check]:
    """Look at everything, asking Slack where there is something to ask; raises nothing."""
    bot, app, secret = settings.slack_bot_token, settings.slack_app_token, settings.slack_signing_secret
    access = Access(
        bot_token=bot.get_secret_value() if bot else "",
        app_token=app.get_secret_value() if app else "",
        signing_secret=secret.get_secret_value() if secret else "",
        api_url=settings.slack_api_url,
    )
    return [_address(access), *_bot(access), *_doors(access)]


def _address(access: Access) -> Check:
    fine = access.api_url.startswith(("https://", "http://"))
    fault = "" if fine else "It must start with https://; leave it out for https://slack.com/api/."
    return Check("SLACK_API_URL", access.api_url, fault)


def _bot(access: Access) -> list[Check]:
    name = "SLACK_BOT_TOKEN"
    if not access.bot_token:
        return [Check(name, fault=f"It is missing: {WHERE}, OAuth & Permissions.")]
    if not access.bot_token.startswith("xoxb-"):
        return [Check(name, fault=f"It isn't a bot token (xoxb-...): {WHERE}, OAuth & Permissions.")]
    try:
        answer = access.client().auth_test()
    except SlackApiError as error:
        return [Check(name, fault=f"Slack refuses it ({_code(error)}). Get a new one: {WHERE}, OAuth & Permissions.")]
    except (URLError, OSError) as error:
        reason = getattr(error, "reason", error)
        return [
            Check(name, fault=f"Slack can't be reached ({reason}). Is there a network, a proxy, a wrong SLACK_API_URL?")
        ]
    return [Check(name, f"{answer.get('user')} in {answer.get('team')}"), _scopes(answer), _clock(answer)]


def _scopes(answer: SlackResponse) -> Check:
    told = _header(answer, "x-oauth-scopes")
    granted = {scope.strip() for scope in told.split(",") if scope.strip()}
    missing = [scope for scope in SCOPES if granted and scope not in granted]
    fault = f"Add {', '.join(missing)}: {WHERE}, OAuth & Permissions, then reinstall the app." if missing else ""
    return Check("scopes", ", ".join(sorted(granted)) or "Slack names none", fault)


def _clock(answer: SlackResponse) -> Check:
    try:
        differs = abs(time.time() - parsedate_to_datetime(_header(answer, "date")).timestamp())
    except (TypeError, ValueError):
        return Check("clock", "Slack names no time")
    fault = (
        "Set this machine's clock (NTP): Slack's requests would be refused as stale."
        if differs > CLOCK_MAY_DIFFER
        else ""
    )
    return Check("clock", f"{differs:.0f} s from Slack's", fault)


def _doors(access: Access) -> list[Check]:
    """Either door is enough."""
    if not access.app_token and not access.signing_secret:
        told = "SLACK_APP_TOKEN opens Socket Mode, SLACK_SIGNING_SECRET opens HTTP; set one"
        return [Check("a door", fault=f"{told}: {WHERE}, Basic Information.")]
    checks = [_app(access)] if access.app_token else []
    if access.signing_secret:
        fine = bool(_SECRET.fullmatch(access.signing_secret))
        fault = "" if fine else f"It isn't 32 hexadecimal digits: {WHERE}, Basic Information, App Credentials."
        checks.append(Check("SLACK_SIGNING_SECRET", "set", fault))
    return checks


def _app(access: Access) -> Check:
    name = "SLACK_APP_TOKEN"
    if not access.app_token.startswith("xapp-"):
        return Check(name, fault=f"It isn't an app-level token (xapp-...): {WHERE}, Basic Information.")
    try:
        access.client(token="").apps_connections_open(app_token=access.app_token)
    except SlackApiError as error:
        remedy = f"Turn on Socket Mode and give it the scope connections:write: {WHERE}, Basic Information."
        return Check(name, fault=f"Slack refuses it ({_code(error)}). {remedy}")
    except (URLError, OSError) as error:
        return Check(name, fault=f"Slack can't be reached ({getattr(error, 'reason', error)}).")
    return Check(name, "opens Socket Mode")


def _code(error: SlackApiError) -> str:
    code = str(error.response.get("error") or "")
    return code if code.isidentifier() else f"HTTP {error.response.status_code}"


def _header(answer: SlackResponse, name: str) -> str:
    return next((str(value) for key, value in answer.headers.items() if key.lower() == name), "")
