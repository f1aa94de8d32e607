"""What each refusal of Slack's and each network fault means, and what the operator can do about it.

A sentence is the meaning, a semicolon and the remedy. It has no full stop, and holds neither ids nor anything secret.
"""

from __future__ import annotations

import logging
import re
import ssl
import sys
from errno import ECONNREFUSED, EHOSTUNREACH, ENETUNREACH
from types import MappingProxyType

import aiohttp
from slack_sdk.proxy_env_variable_loader import load_http_proxy_from_env
from yarl import URL

APP_SETTINGS_PAGE = "https://api.slack.com/apps, your app"
STATUS_PAGE = "slack-status.com"
CA_FILE = "SSL_CERT_FILE=/path/to/ca.pem"
HOSTS = "slack.com, hooks.slack.com and wss-primary.slack.com"
"""The hosts that the bot connects to; Slack may name further ones that begin with wss."""

_ADMINS = "ask the workspace's administrators to allow the app"
_RULE = "a rule of the channel or the workspace lets apps not post there"
_INTERCEPTED = f"most likely a proxy, a firewall or a login page is in between; let {HOSTS} through, or set HTTPS_PROXY"

_ROWS = (
    # tokens and the app; {variable} is the token's, {page} where it is to be found
    ("invalid_auth", "Slack doesn't know this token, or doesn't take it from this machine's address; copy {variable} again "
     "from {page}, and look at the IP addresses that the app allows"),
    ("not_authed", "no token arrived; copy {variable} again from {page}, and see that no proxy drops the header Authorization"),
    ("token_revoked", "the token was revoked or the app removed; install the app again and copy {variable} from {page}"),
    ("token_expired", "the token has expired, because the app has token rotation, which needs installing by OAuth; make an app "
     "without it (`python -m bot manifest`) and copy {variable} from there"),
    ("account_inactive", "the app was removed from the workspace, or the workspace is gone; install the app again and copy "
     "{variable} from {page}"),
    ("not_allowed_token_type", "{variable} is a token of another kind; SLACK_BOT_TOKEN starts with xoxb-, SLACK_APP_TOKEN with "
     "xapp-; copy it again from {page}"),
    ("missing_scope", "the token lacks {scope}; add it at {page}, install the app again and copy {variable} once more"),
    ("no_permission", "the app may not do that there; invite it to the channel, and compare its scopes with "
     "`python -m bot manifest`"),
    ("forbidden_team", f"this workspace may not use Socket Mode; {_ADMINS}, or use HTTP (SLACK_SIGNING_SECRET)"),
    ("access_denied", f"a rule of the workspace denies the app what it asked for; {_ADMINS}"),
    ("accesslimited", "Slack doesn't allow that from the network of this machine; ask the workspace's administrators"),
    ("app_access_restricted", f"the member may not use this app; {_ADMINS} for that member"),
    ("team_access_not_granted", "the organisation hasn't given the app to this workspace; ask its administrators to add it"),
    ("ekm_access_denied", "administrators have suspended messages (Enterprise Key Management); ask them"),
    ("enterprise_is_restricted", "the token is an Enterprise organisation's; install the app into one workspace"),
    ("two_factor_setup_required", "who installed the app lacks the second factor that the workspace demands; set it up"),
    ("org_login_required team_added_to_org migration_pending", "the workspace is being moved into an Enterprise organisation; "
     "wait until that is done, then run doctor"),
    ("team_not_found", "Slack doesn't find the workspace; run doctor, and install the app into the workspace again"),
    ("is_bot", "{variable} is the token of a legacy bot; make an app from `python -m bot manifest`"),
    # channels
    ("channel_not_found", "the channel is gone, or it is private and the app isn't in it; invite it: /invite @ and its name"),
    ("not_in_channel", "the app isn't in the channel; invite it: /invite @ and its name"),
    ("is_archived channel_is_archived", "the channel is archived; unarchive it, or ask elsewhere"),
    ("channel_type_not_supported", "apps can't post in a channel of this type; ask in another one"),
    ("restricted_action restricted_action_read_only_channel action_prohibited cant_post_message", f"{_RULE}; who manages the "
     "channel can allow the app, under its posting permissions"),
    ("restricted_action_thread_only_channel", f"{_RULE} but in threads; ask in a thread"),
    ("restricted_action_non_threadable_channel", f"{_RULE} in threads; ask in another channel"),
    ("restricted_action_thread_locked", "administrators have locked the thread; ask elsewhere"),
    ("posting_to_general_channel_denied", f"{_RULE}; administrators can allow the app to post in #general"),
    ("cannot_reply_to_message", "a message of that type can't have a thread; ask with a message of your own"),
    ("message_not_found", "the message was deleted before; nothing has to be done"),
    ("cant_delete_message cant_update_message edit_window_closed", "a rule of the workspace keeps the app from changing or "
     "deleting what it has posted; whoever may delete the message does so by hand"),
    ("user_not_in_channel user_not_found", "the member who was to read a private message isn't there; nothing has to be done"),
    ("messages_tab_disabled", "direct messages to the app are switched off; switch on the Messages Tab: "
     f"{APP_SETTINGS_PAGE}, App Home"),
    ("not_enabled", f"the Home tab is switched off; switch it on: {APP_SETTINGS_PAGE}, App Home"),
    ("message_limit_exceeded", "the workspace's plan allows no more messages; ask its administrators"),
    ("slack_connect_canvas_sharing_blocked slack_connect_file_link_sharing_blocked slack_connect_lists_sharing_blocked",
     "a rule for Slack Connect blocks what the message links to; ask the administrators"),
    # messages and views
    ("invalid_blocks", "Slack can't show a part of the message; is the address of each picture in the pack open to everybody? "
     "Otherwise please report it with this code and AskPy's version"),
    ("push_limit_reached", "Slack stacks three modals at most; nothing has to be done"),
    ("hash_conflict", "a view was changed by something else at the same moment; nothing has to be done"),
    ("not_found", "the modal was closed before its answer came; nothing has to be done"),
    ("expired_trigger_id trigger_expired", "a press or command was handled after Slack's limit of three seconds; look at "
     "the load of this machine, and at its network to Slack"),
    ("exchanged_trigger_id trigger_exchanged", "a press was delivered twice; nothing has to be done"),
    ("invalid_arguments", "Slack doesn't take the arguments: a press was handled after its limit of three seconds, or AskPy is "
     "at fault; please report it if this machine isn't slow"),
    # response_urls
    ("used_url", "a response_url was used more than five times; the member has to ask again"),
    ("expired_url", "an answer came after the 30 minutes in which a response_url is good; the member has to ask again"),
    ("no_service no_active_hooks", "a response_url is no longer good, or its app was removed; ask again, or install it again"),
    ("no_team team_disabled", "the workspace of a response_url is gone or switched off; ask its administrators"),
    ("foreign_response_url invalid_url", "a response_url wasn't Slack's, and nothing was sent to it; is SLACK_API_URL right?"),
    # requests
    ("unknown_method", "Slack doesn't know the method; upgrade AskPy, and leave SLACK_API_URL out"),
    ("deprecated_endpoint method_deprecated upgrade_required", "Slack has given up what AskPy uses; upgrade AskPy"),
    ("ratelimited rate_limited", "Slack limits the rate, of messages to about one a second and channel; it is tried again "
     "as soon as Slack allows"),
    ("request_timeout", "a request reached Slack only in part; look at the network and the proxy"),
    ("fatal_error internal_error service_unavailable", "Slack has a fault of its own; nothing can be done here, and "
     f"{STATUS_PAGE} says more if it lasts"),
    ("unknown_error", f"the answer isn't Slack's, which would be JSON; {_INTERCEPTED}"),
    ("msg_too_long msg_blocks_too_long no_text invalid_blocks_format invalid_attachments too_many_attachments "
     "too_many_contact_cards attachment_payload_limit_exceeded markdown_text_conflict metadata_too_large "
     "metadata_must_be_sent_from_app invalid_metadata_format invalid_metadata_schema as_user_not_supported missing_file_data "
     "duplicate_channel_not_found duplicate_message_not_found send_on_behalf_not_allowed invalid_message invalid_view "
     "invalid_payload view_too_large duplicate_external_id missing_profile_id not_implemented invalid_trigger_id "
     "invalid_arg_name invalid_array_arg invalid_charset missing_charset superfluous_charset invalid_form_data "
     "invalid_post_type missing_post_type invalid_json json_not_object missing_args insecure_request",
     "AskPy sent what Slack doesn't take; please report it with this code and AskPy's version"),
    # Socket Mode
    ("too_many_websockets", "this app token is used by too many processes (Slack allows ten); stop the others"),
    ("link_disabled", f"Socket Mode is switched off; switch it on: {APP_SETTINGS_PAGE}, Socket Mode"),
    ("silent", f"Slack says nothing on the WebSocket; look for a proxy that holds WebSockets back, and at {STATUS_PAGE}"),
    ("cut", f"Slack announces when it ends one, and hasn't; look for a proxy's WebSocket timeout, and at {STATUS_PAGE}"),
    ("ended warning refresh_requested", f"Slack ends each connection at once; {STATUS_PAGE} says more if it lasts"),
)  # fmt: skip
REMEDIES = MappingProxyType({code: text for codes, text in _ROWS for code in codes.split()})
"""What an error code means, and the remedy. The codes are those of the pages of our methods on docs.slack.dev, and of
response_urls and Socket Mode."""
NO_FAULTS = frozenset(
    {
        *(
            "message_not_found",
            "user_not_in_channel",
            "user_not_found",
            "push_limit_reached",
            "hash_conflict",
            "not_found",
        ),
        *("exchanged_trigger_id", "trigger_exchanged", "used_url", "expired_url"),
    }
)
"""Codes of refusals for which the operator can do nothing, and which any member can cause: no notes on /healthz."""
PASSING = frozenset({"fatal_error", "internal_error", "service_unavailable", "request_timeout"})
"""Codes of refusals by faults of Slack's own: the same request may be taken later."""
_APP_TOKEN = {
    "missing_scope": "the token lacks the scope connections:write; make a new one with it at {page}",
    "token_revoked": "the token was revoked; make a new one with the scope connections:write at {page}",
}
"""The same for SLACK_APP_TOKEN, where it differs: scopes can't be added to an app-level token."""
PAGES = {
    "SLACK_BOT_TOKEN": f"{APP_SETTINGS_PAGE}, OAuth & Permissions",
    "SLACK_APP_TOKEN": f"{APP_SETTINGS_PAGE}, Basic Information",
}
"""Where a token is to be found, by its variable."""
_SCOPES = re.compile(r"[a-z:._, ]{1,80}", re.ASCII)
_NUMBER = re.compile(r"\[Errno ([0-9]{1,4})\]", re.ASCII)
_HTTP = re.compile(r"HTTP ([0-9]{3})", re.ASCII)
_silent = logging.getLogger("bot.slack.sdk")  # the SDK's line quotes the proxy's password


def remedy_of(code: str, variable: str = "SLACK_BOT_TOKEN", scope: str = "") -> str:
    """What an error code of Slack's means and the remedy.

    Args:
        code: the code, or "HTTP " and a status where the answer has none.
        variable: the variable of the token that the request was sent with.
        scope: the scope that Slack says is missing.
    """
    if status := _HTTP.fullmatch(code):
        return status_remedy(int(status[1]))
    text = (_APP_TOKEN if variable == "SLACK_APP_TOKEN" else {}).get(code) or REMEDIES.get(code)
    if text is None and code.startswith(("restricted_action", "slack_connect_")):
        text = f"{_RULE}; ask the administrators"
    if text is None:
        return f"Slack refuses with a code that AskPy doesn't know; look for it on docs.slack.dev, and at {STATUS_PAGE}"
    named = f"the scope {scope}" if _SCOPES.fullmatch(scope) else "a scope"
    return text.format(variable=variable, page=PAGES.get(variable, APP_SETTINGS_PAGE), scope=named)


def status_remedy(status: int) -> str:
    """What an HTTP status without an error code means and the remedy."""
    if status >= 500:
        return f"Slack, or what stands in front of it, is down; {STATUS_PAGE} says more if it lasts"
    if status in (408, 409, 429):
        return f"Slack takes no connection for the moment; it is tried again, and {STATUS_PAGE} says more if it lasts"
    return f"that is hardly Slack's answer; {_INTERCEPTED}"


# --- the network

_UNTRUSTED = frozenset({2, 18, 19, 20, 21})
"""OpenSSL's codes for a certificate whose issuer isn't trusted."""
_EXPIRED, _NOT_YET_VALID, _OTHER_NAME = 10, 9, frozenset({62, 64})


def network_remedy(error: BaseException) -> str:
    """What a network fault means and the remedy."""
    match error:
        case aiohttp.ClientConnectorCertificateError():
            return _certificate_remedy(error.certificate_error, is_proxys=is_of_proxy(error))
        case aiohttp.ClientHttpProxyError():
            return _proxy_remedy(error.status)
        case aiohttp.ClientConnectorDNSError() if is_of_proxy(error):
            return "the proxy's name can't be looked up; look at HTTPS_PROXY, or leave it out where none is needed"
        case aiohttp.ClientConnectorSSLError() if is_of_proxy(error):
            return "the proxy doesn't speak TLS; look at HTTPS_PROXY, which begins with http:// for most proxies"
        case aiohttp.ClientConnectorError() if isinstance(error, aiohttp.ClientProxyConnectionError) or is_of_proxy(
            error
        ):
            return "the proxy can't be reached; look at HTTPS_PROXY, or leave it out where none is needed"
        case aiohttp.ClientConnectorDNSError():
            return f"the name {error.host} can't be looked up; look at this machine's DNS server"
        case aiohttp.ClientConnectorSSLError():
            return f"{_address(error)} doesn't speak TLS as Slack does; {_INTERCEPTED}"
        case aiohttp.ClientConnectorError():
            return _connection_remedy(error)
        case aiohttp.WSServerHandshakeError():
            return _handshake_remedy(error.status)
        case aiohttp.ClientResponseError():
            return status_remedy(error.status)
        case aiohttp.ConnectionTimeoutError():
            return f"no connection in time, as where a firewall drops packets; let {HOSTS} through, or set HTTPS_PROXY"
        case aiohttp.ServerTimeoutError() | TimeoutError():
            return f"no answer in time; look at the network and the proxy, and at {STATUS_PAGE}"
        case aiohttp.ServerDisconnectedError() | aiohttp.ClientPayloadError() | OSError():
            return f"the connection broke before the answer was complete; look at the network and the proxy, and at {STATUS_PAGE}"
        case _:
            return "look at the network, the proxy and SLACK_API_URL"


def is_of_proxy(error: aiohttp.ClientConnectorError) -> bool:
    """Whether it is the proxy, and not Slack, to which there is no connection. aiohttp's error names the host of either; what a
    company's proxy is called is told to nobody."""
    try:
        proxy = URL(load_http_proxy_from_env(_silent) or "")
    except ValueError:
        return False
    return proxy.raw_host is not None and (error.host, error.port) == (proxy.raw_host, proxy.port)


def _address(error: aiohttp.ClientConnectorError) -> str:
    """Slack's host and port."""
    return f"{error.host}:{error.port}"


def _certificate_remedy(error: Exception, *, is_proxys: bool) -> str:
    code = error.verify_code if isinstance(error, ssl.SSLCertVerificationError) else 0
    if code in _UNTRUSTED:
        mac = (
            "; on macOS, Install Certificates.command in Python's folder adds the usual ones"
            if sys.platform == "darwin"
            else ""
        )
        return (
            "nobody whom this machine trusts has signed the certificate, as where a company's proxy signs them itself; "
            f"set {CA_FILE} to a file with its certificate and the usual ones (it takes the place of the system's file), and "
            f"start again{mac}"
        )
    if code == _EXPIRED:
        return (
            "the certificate has expired, or this machine's clock is ahead; look at the clock first, then at the proxy"
        )
    if code == _NOT_YET_VALID:
        return "the certificate isn't valid yet: this machine's clock is behind; set it (NTP)"
    if code in _OTHER_NAME and is_proxys:
        return (
            "the proxy's certificate is another host's; look at HTTPS_PROXY, which begins with http:// for most proxies"
        )
    if code in _OTHER_NAME:
        return f"the certificate is another host's; look at SLACK_API_URL; if it is right, {_INTERCEPTED}"
    return f"the certificate isn't taken; look at the proxy, at the clock, and at {CA_FILE}"


def _proxy_remedy(status: int) -> str:
    if status == 407:
        return "the proxy wants a name and a password; set HTTPS_PROXY=http://user:password@host:port"
    if status in (401, 403):
        return f"the proxy doesn't let the bot through; let it allow {HOSTS}"
    return "the proxy can't reach Slack; look at the proxy, or at HTTPS_PROXY"


def error_number(error: OSError) -> int:
    """The operating system's number of an error, the first one where several addresses were tried; 0 if it has none."""
    if isinstance(error, ssl.SSLError):  # which numbers its own
        return 0
    found = _NUMBER.search(str(error))
    return error.errno or (int(found[1]) if found else 0)


def _connection_remedy(error: aiohttp.ClientConnectorError) -> str:
    number = error_number(error.os_error)
    if number == ECONNREFUSED:
        return f"nobody listens at {_address(error)}; look at SLACK_API_URL, and whether a firewall refuses it"
    if number in (ENETUNREACH, EHOSTUNREACH):
        way = "look at this machine's way out (IPv4 and IPv6), or set HTTPS_PROXY"
        return f"there is no route to {_address(error)}; {way}"
    return f"no connection to {_address(error)}; look at the network, the firewall and the proxy"


def _handshake_remedy(status: int) -> str:
    """Of a WebSocket that wasn't opened."""
    if status >= 500 or status in (408, 409, 429):
        return status_remedy(status)
    way = f"let the proxy or firewall pass WebSockets to {HOSTS}, or use HTTP (SLACK_SIGNING_SECRET)"
    return f"the WebSocket isn't let through; {way}"
