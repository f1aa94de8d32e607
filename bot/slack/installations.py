"""Installed workspaces: the OAuth flow, whose token a payload needs, and token rotation. Used only where installing is set up.

Bolt's own flow checks the state against the browser's cookie and exchanges the code. Our store keeps used states, and the tokens
encrypted.
"""

from __future__ import annotations

import asyncio
import hmac
import html
import logging
import math
import time
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode
from uuid import uuid4

from slack_bolt import BoltResponse
from slack_bolt.error import BoltError
from slack_bolt.oauth.async_callback_options import AsyncCallbackOptions, AsyncFailureArgs, AsyncSuccessArgs
from slack_bolt.oauth.async_oauth_flow import AsyncOAuthFlow
from slack_bolt.oauth.async_oauth_settings import AsyncOAuthSettings
from slack_bolt.request.async_request import AsyncBoltRequest
from slack_sdk.errors import SlackApiError
from slack_sdk.oauth.installation_store import Installation as SlackInstallation
from slack_sdk.oauth.installation_store.async_installation_store import AsyncInstallationStore
from slack_sdk.oauth.state_store.async_state_store import AsyncOAuthStateStore

from bot.keys import SecretKeyError, SecretKeys
from bot.model import AskPyError
from bot.slack.manifest import REDIRECT, SCOPES
from bot.slack.metrics import MAX_CODE
from bot.slack.payloads import Payload, authorization_of, get_dict, get_str, team_id_of
from bot.slack.transport.client import UNREACHABLE, SlackClient, asked, failure_of
from bot.store import Store, StoredInstallation, StoreError
from bot.store.installations import STATE_LASTS

INSTALL = "/slack/install"
ROTATION_LEASE = 60.0
"""Seconds in which one process alone tries to renew a token, and after which it is tried again where that failed."""
MAX_CALLBACKS = 4
"""People who come back from Slack at once: the page is open to everybody, and each costs a request to Slack."""
ROTATE_BEFORE = 2 * 3600
"""Seconds before its end from which a token that expires is replaced; Slack gives them twelve hours."""

logger = logging.getLogger(__name__)
_silent = logging.getLogger("bot.slack.oauth")
_silent.setLevel(logging.CRITICAL)  # Bolt's lines have codes and answers of Slack's

RunDb = Callable[..., Awaitable[Any]]
"""Runs a function that uses the database in a database thread."""


@dataclass(frozen=True, slots=True)
class Installation:
    """An installed workspace or organisation, with its decrypted token (never in a repr)."""

    stored: StoredInstallation
    token: str = field(repr=False)


def team_candidates(body: Payload) -> Iterator[str]:
    """The teams whose installation a payload may belong to, the surest first: an event names it, an interaction comes from where
    the message or the view was made; in a shared channel the person may be of a workspace that has an installation of its own."""
    if body.get("authorizations"):
        first = authorization_of(body)
        yield get_str(first, "enterprise_id" if first.get("is_enterprise_install") is True else "team_id")
        return
    team = get_dict(body, "team")
    yield get_str(get_dict(body, "view"), "app_installed_team_id")
    yield get_str(team, "id")
    yield get_str(body, "context_team_id")
    yield get_str(body, "team_id")
    yield get_str(get_dict(body, "user"), "team_id")
    yield (
        get_str(get_dict(body, "enterprise"), "id") or get_str(body, "enterprise_id") or get_str(team, "enterprise_id")
    )


def _removed_team(body: Payload) -> str:
    """The one team that an event says has removed the app; never another one that happens to serve it."""
    if body.get("authorizations"):
        return next(team_candidates(body), "")
    return get_str(body, "enterprise_id" if body.get("is_enterprise_install") is True else "team_id")


def _member(body: Payload) -> str:
    """The workspace in an organisation of which Slack itself says, in an event or a command, that the app is used there."""
    return get_str(authorization_of(body), "team_id") or (get_str(body, "team_id") if "command" in body else "")


class InstalledTeams:
    """The installations, as payloads need them."""

    def __init__(
        self,
        store: Store,
        keys: SecretKeys,
        client: SlackClient,
        run_db: RunDb,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._store = store
        self._keys = keys
        self._client = client
        self._run_db = run_db
        self._clock = clock
        self._tokens: dict[str, tuple[str, str]] = {}
        self._rotating: dict[str, asyncio.Lock] = {}
        self._unsaved: dict[str, tuple[StoredInstallation, str, str, float]] = {}
        """By team: tokens that Slack has given and that couldn't be saved yet, with what they replace."""

    async def of_body(self, body: Payload) -> Installation | None:
        """The installation that a payload belongs to; None if there is none. Raises StoreError."""
        stored = await self._run_db(self._find_first, body)
        if stored is None:
            text = "from a workspace in which the app isn't installed (any more); whoever misses answers there installs it again"
            self._client.notices.report("not installed", text, unit="payload", level=logging.INFO, is_note=False)
        return await self._usable(stored)

    async def of_team(self, team: str) -> Installation | None:
        """The installation that serves a workspace."""
        return await self._usable(await self._run_db(self._store.installations.find_for, team))

    async def remove_by(self, body: Payload) -> None:
        """A team has removed the app, or its token was revoked: forget the token, whether or not it can be decrypted.

        What was installed after the event stays. Raises StoreError: Slack has to send it again.
        """
        event, when = get_dict(body, "event"), body.get("event_time")
        if get_str(event, "type") == "app_uninstalled" or get_dict(event, "tokens").get("bot"):
            stored = await self._run_db(self._store.installations.find, _removed_team(body))
            if stored is not None:
                await self.remove(stored.team, float(when) if isinstance(when, (int, float)) else math.inf)

    async def remove(self, team: str, before: float) -> None:
        """A team has removed the app, or its token was revoked, at `before`: forget its token. What was installed since stays."""
        await self._run_db(self._remove, team, before)
        self._tokens.pop(team, None)

    def _remove(self, team: str, before: float) -> None:
        found = self._store.installations.find(team)
        if found is not None and int(found.at) <= before:
            self._store.installations.remove(team)
            logger.info("Removed from %s: its tokens are deleted, its words and ids within two hours.", team)

    def _find_first(self, body: Payload) -> StoredInstallation | None:
        """For a database thread. In an organisation an interaction counts only in a workspace that an event or a command has
        named: the person may be of another organisation, in a channel that both share."""
        installations = self._store.installations
        for team in filter(None, dict.fromkeys(team_candidates(body))):
            found = installations.find(team)
            if found is None:
                continue
            if not found.team.startswith("E"):
                return found
            if member := _member(body):
                installations.note_member(member, found.team)
            elif not body.get("event") and installations.organisation_of(team_id_of(body, found.team)) != found.team:
                return None
            return found
        return None

    async def _usable(self, stored: StoredInstallation | None) -> Installation | None:
        """With its token, which is replaced before it expires."""
        if stored is None:
            return None
        if stored.refresh_token and stored.expires_at - self._clock() < ROTATE_BEFORE:
            stored = await self._rotate(stored.team)
        try:
            return Installation(stored, self._token(stored)) if stored is not None else None
        except SecretKeyError as error:
            text = f"{str(error).removesuffix('.')}; add it behind a comma, and doctor names the workspaces"
            self._client.notices.report("key", text, level=logging.ERROR)
            return None

    def _token(self, stored: StoredInstallation) -> str:
        """Decrypted once: that takes as long as a question does. Revisions begin anew with an installation, and don't name it."""
        encrypted, token = self._tokens.get(stored.team, ("", ""))
        if encrypted != stored.bot_token:
            token = self._keys.decrypt(stored.bot_token)
            self._tokens[stored.team] = (stored.bot_token, token)
        return token

    # --- rotation

    async def _rotate(self, team: str) -> StoredInstallation | None:
        """Replace a team's token by a new one; one caller in one process does it, the others take what there is then.

        Not while the database is away: Slack gives the new tokens once, and they have to be saved.
        """
        async with self._rotating.setdefault(team, asyncio.Lock()):
            installations, claims = self._store.installations, self._store.claims
            stored: StoredInstallation | None = await self._run_db(installations.find, team)
            if stored is None or not stored.refresh_token or stored.expires_at - self._clock() >= ROTATE_BEFORE:
                return stored
            try:
                if team in self._unsaved:
                    return await self._save_tokens(*self._unsaved[team])
                claim = f"rotate:{team}:{stored.at}:{stored.revision}:{int(self._clock() // ROTATION_LEASE)}"
                is_first = await self._run_db(claims.claim_once, claim)
                if is_first and not self._store.database.unavailable_reason:
                    return await self._exchange(stored)
            except (*UNREACHABLE, AskPyError) as error:
                reason = failure_of(error, "").reason if isinstance(error, UNREACHABLE) else str(error)
                text = f"the token of a workspace can't be renewed ({reason}): if that stays, it has to install the app again"
                self._client.notices.report(f"rotation: {reason}", text, level=logging.ERROR)
            newest: StoredInstallation | None = await self._run_db(installations.find, team)
            return newest

    async def _exchange(self, stored: StoredInstallation) -> StoredInstallation | None:
        """Exchange the refresh token, and save what comes of it."""
        config = self._client.config
        answer = await asked(
            self._client.web(token="").oauth_v2_access(
                client_id=config.client_id,
                client_secret=config.client_secret,
                grant_type="refresh_token",
                refresh_token=self._keys.decrypt(stored.refresh_token),
            )
        )
        tokens = [str(answer.get(name) or "") for name in ("access_token", "refresh_token")]
        if not all(tokens):
            raise AskPyError("Slack's answer has no tokens")
        bot_token, refresh_token = map(self._keys.encrypt, tokens)
        self._unsaved[stored.team] = (
            stored,
            bot_token,
            refresh_token,
            self._clock() + float(answer.get("expires_in") or 0),
        )
        return await self._save_tokens(*self._unsaved[stored.team])

    async def _save_tokens(
        self, stored: StoredInstallation, bot_token: str, refresh_token: str, expires_at: float
    ) -> StoredInstallation | None:
        """Save new tokens, which this process keeps until it could."""
        installations = self._store.installations
        await self._run_db(installations.replace_tokens, stored, bot_token, refresh_token, expires_at)
        self._unsaved.pop(stored.team, None)
        newest: StoredInstallation | None = await self._run_db(installations.find, stored.team)
        return newest


# --- the flow


class _States(AsyncOAuthStateStore):
    """States that need no memory until they are used: a random part, the time, and their HMAC."""

    def __init__(self, store: Store, keys: SecretKeys, run_db: RunDb, clock: Callable[[], float] = time.time) -> None:
        self._store, self._keys, self._run_db, self._clock = store, keys, run_db, clock

    async def async_issue(self, *_: Any, **__: Any) -> str:
        text = f"{uuid4().hex}.{int(self._clock())}"
        return f"{text}.{self._keys.hmac_id(f'oauth state:{text}')}"

    async def async_consume(self, state: str) -> bool:
        text, _, mac = state.rpartition(".")
        _, _, seconds = text.partition(".")
        is_ours = any(
            hmac.compare_digest(mac.encode(), each.encode()) for each in self._keys.hmac_ids(f"oauth state:{text}")
        )
        is_young = seconds.isdecimal() and 0 <= self._clock() - int(seconds) <= STATE_LASTS
        return is_ours and is_young and bool(await self._run_db(self._store.installations.use_state, state))


class IncompleteError(BoltError):
    """Somebody has allowed less than the app needs: they can change the link to Slack. What was installed before stays."""


class _Saving(AsyncInstallationStore):
    """Saves what Slack gives for a code. Nothing is read here: `InstalledTeams` does."""

    def __init__(self, store: Store, keys: SecretKeys, run_db: RunDb) -> None:
        self._store, self._keys, self._run_db = store, keys, run_db

    async def async_save(self, installation: SlackInstallation) -> None:
        team = installation.enterprise_id if installation.is_enterprise_install else installation.team_id
        granted = installation.bot_scopes or ()
        scopes = granted.split(",") if isinstance(granted, str) else list(granted)
        if not (team and installation.bot_token and installation.bot_user_id) or not set(SCOPES) <= set(scopes):
            raise IncompleteError("less was allowed than the app needs")
        refresh_token = installation.bot_refresh_token
        stored = StoredInstallation(
            team=team or "",
            name=installation.team_name or installation.enterprise_name or "",
            bot_token=self._keys.encrypt(installation.bot_token or ""),
            refresh_token=self._keys.encrypt(refresh_token) if refresh_token else "",
            expires_at=float(installation.bot_token_expires_at or 0) if refresh_token else 0.0,
            bot=installation.bot_id or "",
            bot_user=installation.bot_user_id or "",
            scopes=",".join(scopes),
            installer=installation.user_id or "",
        )
        await self._run_db(self._store.installations.save, stored)
        logger.info("Installed into %s.", stored.team)


_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title><style>
:root {{ color-scheme: light dark }}
body {{ font: 1.0625rem/1.55 system-ui, sans-serif; margin: 0; padding: 8vh 1rem 2rem; overflow-wrap: anywhere }}
main {{ box-sizing: border-box; max-width: 32rem; margin: auto; padding: 2rem; border: 1px solid #8886; border-radius: .9rem }}
h1 {{ font-size: 1.6rem; line-height: 1.25; margin: 0 0 1rem }}
p {{ margin: 0 0 1rem }}
a {{ display: inline-block; padding: .65rem 1.3rem; border-radius: .5rem; font-weight: 600; text-decoration: none;
  background: CanvasText; color: Canvas; margin-top: .5rem }}
a:hover {{ text-decoration: underline }}
a:focus-visible {{ outline: 3px solid CanvasText; outline-offset: 3px }}
main > :last-child {{ margin-bottom: 0 }}
@media (max-width: 30rem) {{ body {{ padding-top: 1rem }} main {{ padding: 1.4rem }} }}
</style></head><body><main><h1>{title}</h1>{body}</main></body></html>
"""
_HEADERS = {
    "Content-Type": "text/html; charset=utf-8",
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}
FAILURES = {
    "access_denied": "You didn't allow it, and that's fine.",
    "invalid_browser": "Please finish in the browser in which you began, with its cookies on.",
    "invalid_state": "This link was used already, or is older than ten minutes. If you have just installed the app, all is well.",
    "invalid_code": "Slack didn't take its own code. It is good once, for ten minutes.",
    "missing_code": "Slack sent no code.",
    "incomplete": "Less was allowed than the app needs. Please begin again, and leave the list as it is.",
    "busy": "Others are just installing it. Please try again in a minute.",
    "unreachable": "Slack can't be reached just now. Please try again in a few minutes.",
    "storage_error": "The database can't be reached just now. Please try again in a few minutes.",
}
"""What is wrong, by Bolt's and Slack's reasons."""


def page(title: str, body: str, status: int = 200) -> BoltResponse:
    """A small page without scripts, pictures or addresses of others; `body` is HTML."""
    return BoltResponse(status=status, body=_PAGE.format(title=html.escape(title), body=body), headers=dict(_HEADERS))


def _link(url: str, text: str) -> str:
    return f'<p><a href="{html.escape(url)}">{text}</a></p>'


class InstallFlow(AsyncOAuthFlow):
    """Bolt's flow, with our pages."""

    def __init__(self, name: str, client: SlackClient, store: Store, keys: SecretKeys, run_db: RunDb) -> None:
        self._name = name
        self._slack = client
        self._callbacks = 0
        super().__init__(
            client=client.web(token=""),
            logger=_silent,
            settings=AsyncOAuthSettings(
                client_id=client.config.client_id,
                client_secret=client.config.client_secret,
                scopes=SCOPES,
                user_scopes=[],  # else Bolt would take them from the environment
                install_path=INSTALL,
                redirect_uri_path=REDIRECT,
                authorization_url=client.config.authorize_url,
                installation_store=_Saving(store, keys, run_db),
                state_store=_States(store, keys, run_db),
                state_expiration_seconds=STATE_LASTS,
                callback_options=AsyncCallbackOptions(success=self._success, failure=self._failure),
                logger=_silent,
            ),
        )

    async def build_install_page_html(self, url: str, request: AsyncBoltRequest) -> str:  # noqa: ARG002  Bolt's signature
        """The page with the link to Slack."""
        what = (
            "<p>It answers questions in direct messages, where somebody mentions it, and after <code>/askpy</code>. "
            "It reads only what is addressed to it.</p>"
        )
        then = "<p>Next, Slack asks for the workspace, and shows you what the app may do before you agree.</p>"
        return page(f"Add {self._name} to Slack", f"{what}{then}{_link(url, 'Add to Slack')}").body

    async def handle_installation(self, request: AsyncBoltRequest) -> BoltResponse:
        """The page, with our headers."""
        response = await super().handle_installation(request)
        response.headers.update({name.lower(): [value] for name, value in _HEADERS.items()})
        return response

    async def handle_callback(self, request: AsyncBoltRequest) -> BoltResponse:
        """Somebody comes back from Slack."""
        if self._callbacks >= MAX_CALLBACKS:
            return self._failed("busy", 503)
        self._callbacks += 1
        try:
            return await super().handle_callback(request)
        except StoreError:
            return self._failed("storage_error", 503)
        except (AttributeError, KeyError, TypeError, UnboundLocalError):  # Bolt, of an answer without a bot's token
            return self._failed("incomplete", 400)
        except (*UNREACHABLE, SlackApiError) as error:
            self._slack.notices.report(
                "oauth", f"an installation failed ({failure_of(error, '').reason}); begin it again"
            )
            return self._failed("unreachable", 502)
        finally:
            self._callbacks -= 1

    async def _success(self, args: AsyncSuccessArgs) -> BoltResponse:
        installation = args.installation
        where = html.escape(installation.team_name or installation.enterprise_name or "your workspace")
        what = (
            f"<p>It is now in {where}. Send it a direct message, or type <code>/askpy</code> and a question. "
            "To mention it in a channel, invite it there first.</p>"
        )
        names = {"team": installation.team_id, "id": installation.app_id, "tab": "home"}
        link = _link(f"slack://app?{urlencode(names)}", "Open it in Slack") if all(names.values()) else ""
        return page(f"{self._name} is installed", f"{what}<p>You can close this page.</p>{link}")

    async def _failure(self, args: AsyncFailureArgs) -> BoltResponse:
        if isinstance(args.error, IncompleteError):
            return self._failed("incomplete", 400)
        code = args.reason if args.reason.isidentifier() and len(args.reason) <= MAX_CODE else "another code"
        text = f"not finished, the last one with {code}"
        self._slack.notices.report("oauth refused", text, unit="installation", level=logging.INFO, is_note=False)
        return self._failed(args.reason, args.suggested_status_code)

    def _failed(self, reason: str, status: int) -> BoltResponse:
        code = f" ({reason})" if reason.isidentifier() and len(reason) <= MAX_CODE else ""
        text = FAILURES.get(reason, f"Slack didn't allow it{code}. Whoever runs the app may know more.")
        return page("Nothing new was installed", f"<p>{html.escape(text)}</p>{_link(INSTALL, 'Begin again')}", status)
