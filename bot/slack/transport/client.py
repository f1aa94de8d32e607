"""The client for Slack's Web API and for response_urls: credentials, one connection pool, and the result of one attempt.

All requests go through one `aiohttp.ClientSession`, which keeps its connections. It follows no redirects, because they would
get the token, and it keeps no cookies.
"""

from __future__ import annotations

import asyncio
import hmac
import json
import logging
import math
import os
import re
import ssl
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from functools import cache
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Literal, TypeVar
from urllib.parse import urlsplit
from urllib.request import proxy_bypass
from uuid import UUID, uuid5

import aiohttp
from slack_bolt.authorization import AuthorizeResult
from slack_sdk.errors import SlackApiError
from slack_sdk.proxy_env_variable_loader import load_http_proxy_from_env
from slack_sdk.web.async_client import AsyncWebClient

from bot.settings import NO_CRYPTOGRAPHY, Settings, SettingsError, address_fault, require_installing
from bot.slack.admission import no_op
from bot.slack.transport.notices import Notices
from bot.slack.transport.remedies import (
    APP_SETTINGS_PAGE,
    REMEDIES,
    error_number,
    is_of_proxy,
    network_remedy,
    remedy_of,
    status_remedy,
)

if TYPE_CHECKING:
    from bot.keys import SecretKeys

T = TypeVar("T")
Mode = Literal["socket", "http"]

CONNECT_TIMEOUT = 10.0
"""Seconds to connect to Slack; until then nothing has been sent."""
READ_TIMEOUT = 10.0
"""Seconds without a byte of the response; after that it is unknown whether the request was processed."""
MAX_POOL_CONNECTIONS = 100
"""Connections of the pool: more than are ever needed at once (the outbox sends 64 requests, Bolt and Socket Mode a few)."""
KEEPALIVE_TIMEOUT = 20.0
"""Seconds that an idle connection is kept. A new TLS connection costs ten times the CPU of a post, and two round trips."""
MAX_RESPONSE_BYTES = 8_000_000
"""Bytes of a response that are read; a posted message, which Slack returns whole, has a hundredth of that."""
MAX_CODE = 80
"""Characters that are read of an error code; Slack's longest has half of that."""
FIRST_CONNECT_DELAY, MAX_CONNECT_DELAY = 1.0, 30.0
"""Seconds between two attempts to reach Slack at the start."""
POST_TTL = 600.0
"""Seconds after which an answer is too old to post."""
PACE = 1.0
"""Seconds between two posts to a channel that Slack has just rate-limited: its rule is about one a second."""
REFUSED_TOKEN = frozenset(
    {"invalid_auth", "not_authed", "token_revoked", "token_expired", "account_inactive", "not_allowed_token_type"}
)
"""Error codes that mean that no request with this token will succeed."""
CLOCK_CHECK_INTERVAL = 60.0
"""Seconds between two looks at the Date header of Slack's answers."""
MAX_CLOCK_OFFSET = 120.0
"""Seconds that this machine's clock may be off; Slack's signatures are good for 300."""
_NAMESPACE = UUID("5f0c1a52-6d0e-5b0a-9f7e-0a5b9d1c7e11")

logger = logging.getLogger(__name__)
_silent = logging.getLogger("bot.slack.sdk")
_silent.setLevel(logging.CRITICAL)  # the SDK's lines may quote what people wrote


# --- credentials


@dataclass(frozen=True, slots=True, kw_only=True)
class SlackConfig:
    """The app's credentials (never in a repr) and the base URL of the Web API."""

    bot_token: str = field(repr=False)
    app_token: str = field(default="", repr=False)
    signing_secret: str = field(default="", repr=False)
    client_id: str = ""
    client_secret: str = field(default="", repr=False)
    keys: SecretKeys | None = field(default=None, repr=False)
    """Those of ASKPY_SECRET_KEY, if it is set."""
    api_url: str = "https://slack.com/api/"

    @classmethod
    def from_settings(cls, settings: Settings, mode: Mode | None = None) -> tuple[SlackConfig, Mode]:
        """The credentials and the mode; raises a SettingsError that names everything that is missing."""
        bot, app, secret = settings.slack_bot_token, settings.slack_app_token, settings.slack_signing_secret
        mode = mode or ("socket" if app else "http")
        require_installing(settings, mode)
        missing = (
            []
            if bot or settings.installs
            else [f"SLACK_BOT_TOKEN (starts with xoxb-): {APP_SETTINGS_PAGE}, OAuth & Permissions"]
        )
        if mode == "socket" and not app:
            missing.append(
                f"SLACK_APP_TOKEN (starts with xapp-, scope connections:write): {APP_SETTINGS_PAGE}, Basic Information"
            )
        if mode == "http" and not secret:
            missing.append(
                f"SLACK_SIGNING_SECRET: {APP_SETTINGS_PAGE}, Basic Information"
                + ("" if settings.installs else " (or SLACK_APP_TOKEN, for Socket Mode)")
            )
        if missing:
            raise SettingsError("To run in Slack these are missing (environment or .env):\n" + "\n".join(missing))
        config = cls(
            bot_token=bot.get_secret_value() if bot else "",
            app_token=app.get_secret_value() if app else "",
            signing_secret=secret.get_secret_value() if secret else "",
            client_id=settings.slack_client_id,
            client_secret=settings.slack_client_secret.get_secret_value() if settings.slack_client_secret else "",
            keys=_keys(settings),
            api_url=settings.slack_api_url,
        )
        _check(config)
        return config, mode

    @property
    def installs(self) -> bool:
        """Whether the app is installed by OAuth; then each workspace has a token of its own, and `bot_token` isn't used."""
        return bool(self.client_id)

    @property
    def authorize_url(self) -> str:
        """Where somebody allows the app to be installed."""
        parts = urlsplit(self.api_url)
        return f"{parts.scheme}://{parts.netloc}/oauth/v2/authorize"

    def hmac_id(self, text: str) -> str:
        """HMAC-SHA-256 of a text that begins with its workspace, in hexadecimal: an id that can't be traced back without its key,
        which comes from ASKPY_SECRET_KEY, or else is the bot's token."""
        return self.keys.hmac_id(text) if self.keys is not None else self._by_token(text)

    def former_ids(self, text: str) -> Sequence[str]:
        """The ids of the same text under older keys and the bot's token: what was stored before a key was rotated, or set."""
        if self.keys is None:
            return ()
        by_token = [self._by_token(text)] if self.bot_token else []
        return [*self.keys.hmac_ids(text)[1:], *by_token]

    def _by_token(self, text: str) -> str:
        return hmac.new(f"askpy:{self.bot_token}".encode(), text.encode("utf-8", "replace"), sha256).hexdigest()


def _keys(settings: Settings) -> SecretKeys | None:
    if settings.secret_key is None:
        return None
    try:
        from bot.keys import SecretKeys  # noqa: PLC0415  an extra, for whoever sets the key
    except ModuleNotFoundError:
        raise SettingsError(f"ASKPY_SECRET_KEY: {NO_CRYPTOGRAPHY}.") from None
    return SecretKeys(settings.secret_key.get_secret_value())


def _check(config: SlackConfig) -> None:
    """Raise SettingsError for malformed tokens and for a wrong address, the proxy's too; log a warning for an unencrypted one."""
    tokens = (
        ("SLACK_BOT_TOKEN", config.bot_token, "xoxb-", "xapp-"),
        ("SLACK_APP_TOKEN", config.app_token, "xapp-", "xoxb-"),
    )
    odd = [
        f"{name} is no token: one is a single word of plain letters, digits and hyphens that starts with {own}"
        for name, token, own, other in tokens
        if token and (not _fits_header(token) or token.startswith(other))
    ]
    if odd:
        raise SettingsError("To run in Slack these have to be put right (environment or .env):\n" + "\n".join(odd))
    if fault := address_fault(config.api_url):
        raise SettingsError(f"SLACK_API_URL: {fault}.")
    if (proxy := proxy_for(config.api_url)) and not proxy_host(proxy):
        raise SettingsError(f"HTTPS_PROXY or HTTP_PROXY: {PROXY_FORM}.")
    if config.api_url.startswith("http://") and not _is_loopback(config.api_url):
        logger.warning("SLACK_API_URL is no https address: the token and all answers travel to it unencrypted.")


def _fits_header(token: str) -> bool:
    """Whether a token can be part of a header; a placeholder of three dots can't."""
    return token.isascii() and token.isprintable() and " " not in token


# --- addresses


def is_slack_url(url: str, api_url: str) -> bool:
    """Whether a response_url belongs to this Slack; any URL does if `api_url` is a test server over http."""
    try:
        api, parts = urlsplit(api_url), urlsplit(url)
    except ValueError:  # a malformed IPv6 literal
        return False
    if api.scheme != "https":
        return parts.scheme in {"http", "https"}
    domain, host = (api.hostname or "").removeprefix("www."), parts.hostname or ""
    return parts.scheme == "https" and bool(domain) and (host == domain or host.endswith(f".{domain}"))


def bypasses_proxy(url: str) -> bool:
    """Whether NO_PROXY or a loopback address says that no proxy is to be used; the SDK reads neither."""
    return _is_loopback(url) or bool(proxy_bypass(urlsplit(url).hostname or ""))


def proxy_of_environment() -> str:
    """The proxy that HTTPS_PROXY, else HTTP_PROXY names, as the SDK reads them and whatever NO_PROXY says; else empty."""
    return load_http_proxy_from_env(_silent) or ""


PROXY_FORM = (
    "not an address of the form http://host:port or http://user:password@host:port "
    "(in a name or a password, %2F stands for a /, %23 for a # and %3F for a ?)"
)
"""What is wrong with the address of a proxy without a `proxy_host`."""


def proxy_host(proxy: str) -> str:
    """Host and port of a proxy's address; empty if that is malformed, because what looks like the host may be a password then."""
    found = re.fullmatch(r"https?://(?:[^\s/?#]*@)?([^\s/?#@]+)/?", proxy, re.IGNORECASE)
    return found[1] if found and not address_fault(f"http://{found[1]}") else ""


def proxy_for(url: str) -> str | None:
    """The proxy of the environment if requests to `url` go through it."""
    proxy = proxy_of_environment()
    return proxy if proxy and not bypasses_proxy(url) else None


def _is_loopback(url: str) -> bool:
    return urlsplit(url).hostname in {"localhost", "127.0.0.1", "::1"}


@cache
def tls_context() -> ssl.SSLContext:
    """The TLS context of all connections to Slack. aiohttp makes its own at import, before `.env` could name certificates."""
    context = ssl.create_default_context()
    context.set_alpn_protocols(["http/1.1"])
    return context


# --- requests and results


@dataclass(frozen=True, slots=True)
class Sent:
    """Slack has accepted the request. `ts`: of the posted message, if the request wants it."""

    ts: str = ""


@dataclass(frozen=True, slots=True)
class Retry:
    """One attempt failed, and the same request may be sent again, after `retry_after` seconds if Slack has set them.

    No connection, a rate limit, a 5xx status, or a connection that broke before a byte of the response. After the last two Slack
    may have processed the request all the same; the client_msg_id of a message lets it drop the second copy.
    """

    reason: str
    retry_after: float | None = None


@dataclass(frozen=True, slots=True)
class NotSent:
    """The request was given up without being accepted: all attempts failed, it was too late, or the process stops."""

    reason: str


@dataclass(frozen=True, slots=True)
class Refused:
    """Slack responded with this error code; the same request would be refused again. `scope`: what it says is missing."""

    code: str
    scope: str = ""


@dataclass(frozen=True, slots=True)
class Unknown:
    """The request was sent, and no response tells whether Slack has processed it: it must not be sent again."""

    reason: str


AttemptResult = Sent | Retry | Refused | Unknown
"""The result of one attempt to send a request."""
SendResult = Sent | NotSent | Refused | Unknown
"""The final result of sending a request, after all attempts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One request to Slack: a Web API method, or a response_url.

    `token` is that of the installed workspace `team`; without one, the bot's own is used. `fallback_args` makes the arguments
    that are sent once Slack has refused the blocks. `wants_ts`: the result has the posted message's `ts`. After `ttl` seconds
    the request isn't sent any more. `on_wait` is called once, as soon as the request has to wait: for a Retry-After, for its next
    attempt, or behind several others of its channel.
    """

    method: str = ""
    url: str = ""
    args: Mapping[str, Any]
    token: str = field(default="", repr=False)
    team: str = ""
    fallback_args: Callable[[], Mapping[str, Any]] | None = None
    wants_ts: bool = False
    ttl: float = POST_TTL
    on_wait: Callable[[], None] = no_op

    @property
    def rate_limit_key(self) -> str:
        """What Slack's rate limits apply to: the channel, else the response_url, else the method of the workspace."""
        return str(self.args.get("channel") or self.url or f"{self.team}{self.method}")

    @property
    def label(self) -> str:
        """Its name in log lines, without the response_url, which is a secret."""
        return f"{self.method} {self.args.get('channel') or ''}".strip() if self.method else "response_url"


def client_msg_id(key: str) -> str:
    """The client_msg_id of a message: the same for each attempt to send it."""
    return str(uuid5(_NAMESPACE, key.encode("utf-8", "replace").decode("utf-8")))


# --- the bot and its token


@dataclass(frozen=True, slots=True)
class BotIdentity:
    """Who the bot is, as auth.test says; empty until Slack has been asked."""

    user: str = ""
    bot: str = ""
    team: str = ""
    scopes: tuple[str, ...] = ()


@dataclass(slots=True)
class TokenHealth:
    """Whether Slack still accepts the bot's token; `error` is the code with which Slack refused it, else empty."""

    notices: Notices
    error: str = ""

    def note(self, result: AttemptResult, method: str) -> None:
        """Update from the result of an attempt."""
        if isinstance(result, Refused) and result.code in REFUSED_TOKEN:
            text = f"Slack no longer takes SLACK_BOT_TOKEN ({result.code}), and nothing can be answered: {remedy_of(result.code)}"
            if self.error != result.code:
                self.notices.end("token: ", "")  # another one takes its place
            self.notices.report(f"token: {result.code}", text, level=logging.ERROR, lasts=math.inf)
            self.error = result.code
        elif isinstance(result, Sent) and method and self.error:
            self.notices.end("token: ", "Slack takes SLACK_BOT_TOKEN again")
            self.error = ""


# --- the client


class RedirectRefused(aiohttp.ClientError):
    """The response is a redirect, which Slack never sends; it wasn't followed."""

    def __init__(self, status: int) -> None:
        super().__init__(f"HTTP {status}")
        self.status = status


async def _refuse_redirect(_session: object, _context: object, end: aiohttp.TraceRequestRedirectParams) -> None:
    raise RedirectRefused(end.response.status)


class SlackClient:
    """Sends requests to Slack over kept connections. Open it before use; it belongs to one event loop.

    `notices` are told what goes wrong. `on_error` is called with the method and the code of each failure to get the bot's
    identity or a WebSocket; the outbox counts those of its own requests.
    """

    def __init__(self, config: SlackConfig, *, on_error: Callable[[str, str], None] = no_op) -> None:
        self.config = config
        self.on_error = on_error
        self.identity = BotIdentity()
        self.notices = Notices()
        self.health = TokenHealth(self.notices)
        self._base_url = config.api_url.rstrip("/") + "/"
        self.clock_offset = 0.0
        """Seconds by which Slack's clock is ahead of this machine's, as far as it is known."""
        self._clock_checked = -math.inf
        self._session: aiohttp.ClientSession | None = None
        self._asking = asyncio.Lock()

    @property
    def session(self) -> aiohttp.ClientSession:
        """The one session for all requests; raises RuntimeError before `open`."""
        if self._session is None:
            raise RuntimeError("the client isn't open")
        return self._session

    async def open(self) -> SlackClient:
        """Make the session. Connections are opened when they are needed."""
        traces = aiohttp.TraceConfig()
        traces.on_request_redirect.append(_refuse_redirect)
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(
                limit=MAX_POOL_CONNECTIONS, keepalive_timeout=KEEPALIVE_TIMEOUT, ssl=tls_context()
            ),
            timeout=aiohttp.ClientTimeout(
                total=None, connect=CONNECT_TIMEOUT, sock_connect=CONNECT_TIMEOUT, sock_read=READ_TIMEOUT
            ),
            cookie_jar=aiohttp.DummyCookieJar(),
            trace_configs=[traces],
        )
        return self

    async def close(self) -> None:
        """Close all connections."""
        if self._session is not None:
            await self._session.close()

    async def __aenter__(self) -> SlackClient:
        return await self.open()

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    def web(self, token: str | None = None) -> AsyncWebClient:
        """An SDK client over the same session, with the bot's token unless another is given."""
        client = AsyncWebClient(
            token=self.config.bot_token if token is None else token,
            base_url=self._base_url,
            session=self.session,
            retry_handlers=[],
            logger=_silent,
        )
        client.proxy = proxy_for(self._base_url)
        return client

    async def auth_test(self) -> BotIdentity:
        """Who the bot is; Slack is asked once. Raises what the SDK raises, and `aiohttp.ClientError`."""
        async with self._asking:
            if not self.identity.user:
                answer = await asked(self.web().auth_test())
                headers = {name.lower(): value for name, value in answer.headers.items()}
                self._check_clock(str(headers.get("date", "")))
                self.identity = BotIdentity(
                    user=str(answer.get("user_id") or ""),
                    bot=str(answer.get("bot_id") or ""),
                    team=str(answer.get("team_id") or answer.get("enterprise_id") or ""),
                    scopes=tuple(filter(None, map(str.strip, str(headers.get("x-oauth-scopes", "")).split(",")))),
                )
        return self.identity

    def authorizer(self) -> Callable[[], Awaitable[AuthorizeResult]]:
        """The function by which Bolt gets the token for each request; to a method Bolt would pass `self` by name."""

        async def authorize() -> AuthorizeResult:
            identity = self.identity
            return AuthorizeResult(
                enterprise_id=None,
                team_id=identity.team,
                bot_id=identity.bot,
                bot_user_id=identity.user,
                bot_token=self.config.bot_token,
            )

        return authorize

    def _check_clock(self, date: str) -> None:
        """Compare this machine's clock with the Date header of an answer, at most every CLOCK_CHECK_INTERVAL seconds."""
        now = time.monotonic()
        if not date or now < self._clock_checked + CLOCK_CHECK_INTERVAL:
            return
        with suppress(ValueError):
            self.clock_offset, self._clock_checked = parsedate_to_datetime(date).timestamp() - time.time(), now
            if abs(self.clock_offset) <= MAX_CLOCK_OFFSET:
                self.notices.end("clock offset", "This machine's clock is Slack's again")
                return
            side = "behind" if self.clock_offset > 0 else "ahead of"
            text = (
                f"this machine's clock is {abs(self.clock_offset):.0f} s {side} Slack's; set this machine's clock (NTP)"
            )
            self.notices.report("clock offset", text)

    async def post_once(self, request: Request) -> AttemptResult:
        """Send a request once. Network errors are results, and aren't raised."""
        if self.config.installs and request.method and not request.token:
            return Refused("not_authed")  # never sent, and nothing about the others
        result = await self._try_post(request)
        if not self.config.installs:
            self.health.note(result, request.method)
        elif isinstance(result, Refused) and result.code in REFUSED_TOKEN:
            text = f"Slack no longer takes the token of an installed workspace ({result.code}): it has to install the app again"
            self.notices.report(f"installed token: {result.code}", text)
        return result

    async def _try_post(self, request: Request) -> AttemptResult:
        if request.url and not is_slack_url(request.url, self._base_url):
            return Refused("foreign_response_url")
        if self.session.closed:
            return Retry("stopping")
        try:
            return await self._post(request)
        except RedirectRefused as error:
            return Refused(str(error))
        except aiohttp.InvalidURL:
            return Refused("invalid_url")
        except aiohttp.ServerTimeoutError as error:  # while reading; while connecting it is one of _NOTHING_READ
            return Unknown(self._note_fault(request, "TimeoutError", network_remedy(error)))
        except (aiohttp.ClientError, OSError) as error:
            return Unknown(self._note_fault(request, type(error).__name__, network_remedy(error)))

    async def _post(self, request: Request) -> AttemptResult:
        """POST it as JSON. The SDK's client would need 1.4 times the CPU, because it parses the whole response."""
        url, headers = request.url, _HOOK_HEADERS
        if not url:
            token = request.token or self.config.bot_token
            url, headers = self._base_url + request.method, _HOOK_HEADERS | {"Authorization": f"Bearer {token}"}
        body = json.dumps(dict(request.args)).encode()
        try:
            response = await self.session.post(url, data=body, headers=headers, proxy=proxy_for(url))
        except _NOTHING_READ as error:
            return Retry(self._note_fault(request, error_name(error), network_remedy(error)))
        async with response:
            body = await _read(response)
        self._check_clock(response.headers.get("Date", ""))
        if response.status >= 500:
            return Retry(self._note_fault(request, f"HTTP {response.status}", status_remedy(response.status)))
        code, scope, is_slacks = _read_answer(body, is_hook=bool(request.url))
        if is_slacks:
            self.notices.end(_fault_kind(request, ""), "Slack answers again")
        result = _attempt_result(response.status, response.headers, code, scope)
        return Sent(_read_ts(body)) if request.wants_ts and isinstance(result, Sent) else result

    def _note_fault(self, request: Request, reason: str, remedy: str) -> str:
        """Report that a request got no answer of Slack's; returns the reason."""
        what = "Slack doesn't answer" if request.method else "Slack doesn't answer at response_urls"
        self.notices.report(_fault_kind(request, reason), f"{what} ({reason}): {remedy}")
        return reason


def _fault_kind(request: Request, reason: str) -> str:
    """The kind of a fault on the way to Slack. The Web API and response_urls have hosts of their own."""
    return f"{'Web API' if request.method else 'response_url'}: {reason}"


_NOTHING_READ = (
    aiohttp.ClientConnectorError,
    aiohttp.ConnectionTimeoutError,
    aiohttp.ClientHttpProxyError,
    aiohttp.ServerDisconnectedError,
    aiohttp.ClientOSError,
    aiohttp.ClientConnectionResetError,
)
"""Raised before a byte of the response was read: not connected, refused by the proxy, or the connection broke. In the last case
the request may have been sent."""
_HOOK_HEADERS = {"Content-Type": "application/json;charset=utf-8", "Accept-Encoding": "identity"}


async def _read(response: aiohttp.ClientResponse) -> bytes:
    """The body, at most MAX_RESPONSE_BYTES of it."""
    body = b""
    while len(body) < MAX_RESPONSE_BYTES and (chunk := await response.content.read(MAX_RESPONSE_BYTES - len(body))):
        body += chunk
    return body


def _attempt_result(status: int, headers: Mapping[str, str], error: str, scope: str) -> AttemptResult:
    if status == 429 or error in {"ratelimited", "rate_limited"}:
        return Retry("rate limited", retry_after(headers))
    if status == 200 and not error:
        return Sent()
    is_code = error.isidentifier() and (error != "unknown_error" or status == 200)
    return Refused(error, scope) if is_code else Refused(f"HTTP {status}")


def _read_answer(body: bytes, *, is_hook: bool) -> tuple[str, str, bool]:
    """The error code in a response and the missing scope that it names, empty if there is none; and whether it is Slack's.

    The response of a response_url may be plain text. A login page or a proxy's page is none of Slack's.
    """
    text = body.strip() if is_hook else b""
    if body.startswith(b'{"ok":true') or text == b"ok":
        return "", "", True
    if is_hook and not text:
        return "", "", False
    if is_hook and not body.startswith(b"{"):
        code = text.decode("utf-8", "replace")[:MAX_CODE]
        return code, "", code in REMEDIES
    try:
        answer = json.loads(body)
    except (ValueError, RecursionError):
        return "unknown_error", "", False
    if not isinstance(answer, dict):
        return "unknown_error", "", False
    is_slacks = isinstance(answer.get("ok"), bool)
    if answer.get("ok", is_hook) is True:
        return "", "", is_slacks
    return str(answer.get("error") or "unknown_error")[:MAX_CODE], str(answer.get("needed") or ""), is_slacks


def _read_ts(body: bytes) -> str:
    """The `ts` of a posted message in Slack's response; empty if it has none."""
    try:
        ts = json.loads(body).get("ts")
    except (ValueError, RecursionError, AttributeError):
        return ""
    return ts if isinstance(ts, str) else ""


def retry_after(headers: Mapping[str, str]) -> float:
    """The seconds of the Retry-After header; PACE if it can't be read."""
    try:
        return max(0.0, float(headers.get("Retry-After", "")))
    except ValueError:
        return PACE


def error_name(error: BaseException) -> str:
    """The error's name in the log: the type of the operating system's error if there is one."""
    if isinstance(error, aiohttp.ClientConnectorCertificateError):
        return type(error.certificate_error).__name__
    if isinstance(error, aiohttp.ClientConnectorError):
        return type(error.os_error).__name__
    if isinstance(error, aiohttp.ClientHttpProxyError):
        return f"HTTP {error.status} by the proxy"
    return "TimeoutError" if isinstance(error, aiohttp.ServerTimeoutError) else "ConnectionResetError"


# --- waiting for Slack at the start

UNREACHABLE = (SlackApiError, aiohttp.ClientError, OSError)
"""What a request by the SDK's client raises if Slack refuses it or can't be reached."""


class OddAnswer(aiohttp.ClientError):
    """An answer that the SDK's client stumbles over: text, a list, no UTF-8, or JSON without what the method returns."""


async def asked(call: Awaitable[T]) -> T:
    """The result of a call by the SDK's client; raises one of UNREACHABLE, whatever the answer is."""
    try:
        return await call
    except UNREACHABLE:
        raise
    except (AttributeError, LookupError, TypeError, ValueError, RecursionError):
        raise OddAnswer from None


class ConnectionEnded(ConnectionError):  # noqa: N818  named after what Slack has done
    """Slack has ended a WebSocket, or never said hello on it; `reason` is its word for that."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


_ODD = "an answer that makes no sense"


def reason_of(error: BaseException) -> str:
    """Why Slack couldn't be reached, for the log: an error code, a status, a type, or the text of the operating system or of
    OpenSSL, which hold nothing that people wrote. Never an address, which may hold a one-use secret, nor the proxy's name."""
    if isinstance(error, SlackApiError):
        code = error_code(error)
        return code if code.isidentifier() else _ODD
    if isinstance(error, aiohttp.ClientConnectorCertificateError):
        return f"{error_name(error)} of the proxy" if is_of_proxy(error) else str(error.certificate_error)
    if isinstance(error, aiohttp.ClientConnectorError):
        number = error_number(error.os_error)
        return f"[Errno {number}] {os.strerror(number)}" if number > 0 else str(error.os_error)
    if isinstance(error, aiohttp.ClientHttpProxyError):
        return error_name(error)
    if isinstance(error, aiohttp.ClientResponseError):
        return f"HTTP {error.status}"
    if isinstance(error, (aiohttp.ClientError, TimeoutError)):
        return type(error).__name__
    return str(error) or type(error).__name__


def error_code(error: SlackApiError) -> str:
    """Slack's error code; empty if its response was malformed and the SDK passes it on as it is."""
    return _field(error, "error")[:MAX_CODE]


def _field(error: SlackApiError, name: str) -> str:
    answer = getattr(error.response, "data", error.response)
    return str(answer.get(name) or "") if isinstance(answer, dict) else ""


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a request by the SDK's client failed: the code for the metrics (Slack's own if `is_answer`), the reason for the log,
    and what it means with the remedy. `retry_after`: the seconds that Slack wants to be left alone."""

    code: str
    reason: str
    remedy: str
    is_answer: bool = False
    retry_after: float = 0.0


def failure_of(error: BaseException, variable: str) -> Failure:
    """What one of UNREACHABLE means for a request with the token of this variable."""
    if isinstance(error, ConnectionEnded):
        return Failure(error.reason, error.reason, remedy_of(error.reason, variable))
    if isinstance(error, RedirectRefused):
        return Failure(str(error), str(error), status_remedy(error.status))
    if isinstance(error, OddAnswer):
        return Failure("unknown_error", _ODD, remedy_of("unknown_error"))
    if not isinstance(error, SlackApiError):
        reason = reason_of(error)
        code = reason if reason.startswith("HTTP ") else error_name(error)
        return Failure(code, reason, network_remedy(error))
    code = error_code(error)
    if code.isidentifier():
        wait = retry_after(error.response.headers) if code == "ratelimited" else 0.0
        remedy = remedy_of(code, variable, _field(error, "needed"))
        return Failure(code, code, remedy, is_answer=True, retry_after=wait)
    status = getattr(error.response, "status_code", None) or getattr(error.response, "status", None)
    if isinstance(status, int) and status != 200:
        return Failure(f"HTTP {status}", f"HTTP {status}", status_remedy(status))
    return Failure("unknown_error", _ODD, remedy_of("unknown_error"))


METHODS = {"SLACK_BOT_TOKEN": "auth.test", "SLACK_APP_TOKEN": "apps.connections.open"}
"""The method by which a token is tried at the start."""


async def wait_for_slack(
    ask: Callable[[], Awaitable[object]], variable: str, stop: asyncio.Event, client: SlackClient
) -> bool:
    """Call `ask` until Slack responds, and tell the notices of `client` why it waits. False if `stop` was set first.

    Raises SettingsError, naming `variable`, when Slack refuses the token.
    """
    pause, waited = FIRST_CONNECT_DELAY, 0.0
    while True:
        if stop.is_set():
            return False
        try:
            if not await is_done_before(stop, ask()):
                return False
        except UNREACHABLE as error:
            failure = failure_of(error, variable)
        else:
            client.notices.end(f"start {variable}: ", "Slack answers again")
            return True
        client.on_error(METHODS[variable], failure.code)
        if failure.is_answer and (failure.code in REFUSED_TOKEN or failure.code == "missing_scope"):
            raise SettingsError(f"Slack refuses {variable} ({failure.code}): {failure.remedy}.")
        client.notices.report(f"start {variable}: {failure.code}", _waiting(failure, variable, waited))
        seconds = max(pause, failure.retry_after)
        if await is_set_within(stop, seconds):
            return False
        waited, pause = waited + seconds, min(pause * 2, MAX_CONNECT_DELAY)


def _waiting(failure: Failure, variable: str, waited: float) -> str:
    what = "Slack can't be reached" if variable == "SLACK_BOT_TOKEN" else "No connection to Slack"
    what = f"Slack refuses {METHODS[variable]}" if failure.is_answer else what
    since = f" for {waited:.0f} seconds" if waited else ""
    return f"{what} ({failure.reason}), waiting for it{since}: {failure.remedy}"


async def is_done_before(stop: asyncio.Event, work: Awaitable[object]) -> bool:
    """Wait until `work` is done, and raise what it raises. If `stop` is set first, cancel it and return false."""
    task, stopping = asyncio.ensure_future(work), asyncio.ensure_future(stop.wait())
    try:
        await asyncio.wait((task, stopping), return_when=asyncio.FIRST_COMPLETED)
        if task.done():
            task.result()
        return task.done()
    finally:
        for each in (task, stopping):
            each.cancel()
        await asyncio.wait((task, stopping))


async def is_set_within(event: asyncio.Event, seconds: float) -> bool:
    """Wait at most `seconds` for an event; returns whether it is set."""
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        pass
    return event.is_set()
