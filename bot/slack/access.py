"""What it takes to talk to Slack: the credentials, the clients made from them, and who the bot is.

Every client the bot builds is built here: `SLACK_API_URL`, 10 s, no retries of the SDK's own (they know neither 502
nor `ratelimited`, and sleep in the thread that asked), no log lines of its own (they may quote what people wrote), and no
redirects: Slack sends none, and the SDK would carry the token along to wherever one leads.
"""

from __future__ import annotations

import hmac
import logging
import ssl
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from hashlib import sha256
from http.client import HTTPException
from typing import Any, Literal
from urllib.parse import urlsplit
from urllib.request import (
    HTTPRedirectHandler,
    HTTPSHandler,
    OpenerDirector,
    ProxyHandler,
    Request,
    build_opener,
    getproxies,
    proxy_bypass,
)

from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError
from slack_sdk.webhook import WebhookClient, WebhookResponse

from bot.settings import Settings, SettingsError

Mode = Literal["socket", "http"]

TIMEOUT = 10
"""Seconds for one request to Slack; after a read that took longer nobody knows whether it was done."""
FIRST_WAIT, LONGEST_WAIT = 1.0, 30.0
"""Seconds between two attempts to reach Slack at the start."""
SAY_EVERY = 30.0
"""Seconds after which the log says again that Slack is still waited for."""
LONGEST_ANSWER = 8_000_000
"""Bytes of one answer of Slack's that are read; a posted message, which comes back whole, has a hundredth."""
WHERE = "https://api.slack.com/apps, your app"

logger = logging.getLogger(__name__)
_silent = logging.getLogger("bot.slack.sdk")
_silent.setLevel(logging.CRITICAL)


def _is_word(token: str) -> bool:
    """Whether it can stand in a request's header; a placeholder of three dots in one can't."""
    return token.isascii() and token.isprintable() and " " not in token


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """The app's credentials (never in a repr) and where Slack is."""

    bot_token: str = field(repr=False)
    app_token: str = field(default="", repr=False)
    signing_secret: str = field(default="", repr=False)
    api_url: str = "https://slack.com/api/"

    @classmethod
    def of(cls, settings: Settings, mode: Mode | None = None) -> tuple[Access, Mode]:
        """The credentials and the mode they allow; raises SettingsError that names all that is missing."""
        bot, app, secret = settings.slack_bot_token, settings.slack_app_token, settings.slack_signing_secret
        mode = mode or ("socket" if app else "http")
        missing = [] if bot else [f"SLACK_BOT_TOKEN (starts with xoxb-): {WHERE}, OAuth & Permissions"]
        if mode == "socket" and not app:
            missing.append(f"SLACK_APP_TOKEN (starts with xapp-, scope connections:write): {WHERE}, Basic Information")
        if mode == "http" and not secret:
            missing.append(f"SLACK_SIGNING_SECRET: {WHERE}, Basic Information (or SLACK_APP_TOKEN, for Socket Mode)")
        if missing:
            raise SettingsError("To run in Slack these are missing (environment or .env):\n" + "\n".join(missing))
        tokens = (("SLACK_BOT_TOKEN", bot, "xoxb-", "xapp-"), ("SLACK_APP_TOKEN", app, "xapp-", "xoxb-"))
        odd = [
            f"{name} is no token: one is a single word of plain letters, digits and hyphens that starts with {mine}"
            for name, given, mine, others in tokens
            if given and (not _is_word(given.get_secret_value()) or given.get_secret_value().startswith(others))
        ]
        if odd:
            raise SettingsError("To run in Slack these have to be put right (environment or .env):\n" + "\n".join(odd))
        if not settings.slack_api_url.startswith(("https://", "http://")):
            raise SettingsError("SLACK_API_URL must start with https://; leave it out for https://slack.com/api/.")
        if settings.slack_api_url.startswith("http://") and not _is_loopback(settings.slack_api_url):
            logger.warning("SLACK_API_URL is no https address: the token and all answers travel to it unencrypted.")
        access = cls(
            bot_token=bot.get_secret_value() if bot else "",
            app_token=app.get_secret_value() if app else "",
            signing_secret=secret.get_secret_value() if secret else "",
            api_url=settings.slack_api_url,
        )
        return access, mode

    def seal(self, text: str) -> str:
        """A name for `text` from which nobody without the token can find it again."""
        return hmac.new(f"askpy:{self.bot_token}".encode(), text.encode("utf-8", "replace"), sha256).hexdigest()

    def client(self, token: str | None = None) -> WebClient:
        """A Web API client; with the bot's token unless another is given."""
        client = _Web(
            token=self.bot_token if token is None else token,
            base_url=self.api_url.rstrip("/") + "/",
            timeout=TIMEOUT,
            retry_handlers=[],
            logger=_silent,
        )
        if direct(self.api_url):
            client.proxy = None
        return client


def webhook(url: str) -> WebhookClient:
    """A client for one response_url."""
    client = _Hook(url, timeout=TIMEOUT, retry_handlers=[], logger=_silent)
    if direct(url):
        client.proxy = None
    return client


def is_slacks(url: str, api_url: str) -> bool:
    """Whether a response_url is one that this Slack hands out; any, where a stand-in without https is spoken to."""
    try:
        api, parts = urlsplit(api_url), urlsplit(url)
    except ValueError:  # half an address of numbers, in brackets
        return False
    if api.scheme != "https":
        return parts.scheme in {"http", "https"}
    own, host = (api.hostname or "").removeprefix("www."), parts.hostname or ""
    return parts.scheme == "https" and bool(own) and (host == own or host.endswith(f".{own}"))


class _Web(WebClient):
    """Goes where it is sent, and nowhere else."""

    def _perform_urllib_http_request_internal(self, url: str, req: Request) -> dict[str, Any]:
        with _opener(_proxies(url, self.proxy)).open(req, timeout=self.timeout) as found:
            return {"status": found.status, "headers": found.headers, "body": _text(found)}


class _Hook(WebhookClient):
    """The same for a response_url."""

    def _perform_http_request_internal(self, url: str, req: Request) -> WebhookResponse:
        with _opener(_proxies(url, self.proxy)).open(req, timeout=self.timeout) as found:
            return WebhookResponse(url=url, status_code=found.status, body=_text(found), headers=found.headers)


class _Stay(HTTPRedirectHandler):
    """Follows no redirect: it is an answer like any other that Slack doesn't give."""

    def redirect_request(self, *_: Any, **__: Any) -> None:
        return None


@cache
def _opener(proxies: tuple[tuple[str, str], ...]) -> OpenerDirector:
    """What opens https and http by these proxies. The certificates are read once: to read them takes longer than to answer."""
    trust = ssl.create_default_context()
    trust.set_alpn_protocols(["http/1.1"])  # as http.client has it in a context of its own
    return build_opener(ProxyHandler(dict(proxies)), HTTPSHandler(context=trust), _Stay)


def _proxies(url: str, proxy: str | None) -> tuple[tuple[str, str], ...]:
    if proxy:
        return (("http", proxy), ("https", proxy))
    return () if direct(url) else tuple(sorted(getproxies().items()))


def _text(found: Any) -> str:
    told: str = found.read(LONGEST_ANSWER).decode(found.headers.get_content_charset() or "utf-8")
    return told


def direct(url: str) -> bool:
    """Whether NO_PROXY or a loopback address says that no proxy is to be used; the SDK reads neither."""
    return _is_loopback(url) or bool(proxy_bypass(urlsplit(url).hostname or ""))


def _is_loopback(url: str) -> bool:
    return urlsplit(url).hostname in {"localhost", "127.0.0.1", "::1"}


@dataclass(frozen=True, slots=True)
class Me:
    """Who the bot is, as auth.test says."""

    user: str
    bot: str
    team: str
    scopes: tuple[str, ...] = ()


class Identity:
    """Who the bot is: asked once, then known."""

    def __init__(self, client: WebClient) -> None:
        self._client = client
        self._me: Me | None = None
        self._lock = threading.Lock()

    def me(self) -> Me:
        """The bot; asks Slack the first time, and raises what the client raises."""
        with self._lock:
            if self._me is None:
                answer = self._client.auth_test()
                scopes = str(answer.headers.get("x-oauth-scopes") or answer.headers.get("X-OAuth-Scopes") or "")
                self._me = Me(
                    user=str(answer.get("user_id") or ""),
                    bot=str(answer.get("bot_id") or ""),
                    team=str(answer.get("team_id") or ""),
                    scopes=tuple(scope.strip() for scope in scopes.split(",") if scope.strip()),
                )
            return self._me

    @property
    def user(self) -> str:
        """The bot's user id; empty as long as nobody has asked."""
        return self._me.user if self._me is not None else ""

    @property
    def team(self) -> str:
        """The bot's workspace; empty as long as nobody has asked."""
        return self._me.team if self._me is not None else ""


REFUSED = frozenset(
    {"invalid_auth", "not_authed", "token_revoked", "token_expired", "account_inactive", "not_allowed_token_type"}
)
"""Errors after which no request with this token will succeed."""


def await_slack(ask: Callable[[], object], variable: str, wait: Callable[[float], bool]) -> bool:
    """Ask until Slack answers; says why it waits. False if `wait` (seconds; true to stop) ended it.

    Raises SettingsError, naming `variable`, when Slack refuses the token.
    """
    pause, said, waited, quiet = FIRST_WAIT, "", 0.0, 0.0
    while True:
        try:
            ask()
        except SlackApiError as error:
            code = str(error.response.get("error") or "")
            if code in REFUSED or code == "missing_scope":
                raise SettingsError(f"Slack refuses {variable} ({code}). Get a new one: {WHERE}.") from None
            reason = code if code.isidentifier() else "an answer that makes no sense"
        except (OSError, HTTPException) as error:
            reason = str(getattr(error, "reason", error) or type(error).__name__)
        else:
            if said:
                logger.info("Slack answers again.")
            return True
        if reason != said:
            logger.warning("Slack can't be reached (%s); waiting for it.", reason)
            said, quiet = reason, 0.0
        elif quiet >= SAY_EVERY:
            logger.warning("Still waiting for Slack, for %.0f seconds (%s).", waited, reason)
            quiet = 0.0
        if wait(pause):
            return False
        waited, quiet = waited + pause, quiet + pause
        pause = min(pause * 2, LONGEST_WAIT)
