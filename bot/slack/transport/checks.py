"""What the doctor looks at on this machine: certificates, the port."""

from __future__ import annotations

import errno
import http.client
import socket
import ssl

from bot.slack.transport.health import HEALTH, health_page
from bot.slack.transport.http import SERVER

HEALTH_TIMEOUT = 1.0
"""Seconds that a program on our port has to say that it is AskPy."""


def count_certificates(file: str) -> tuple[int, str]:
    """How many certificates a PEM file holds, and why it can't be used, if it can't."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    try:
        context.load_verify_locations(cafile=file)
    except ssl.SSLError:
        return 0, "it holds no certificate that can be read; it has to be a PEM file"
    except OSError as error:
        return 0, f"it can't be read ({error.strerror})"
    return context.cert_store_stats()["x509"], ""


def port_fault(port: int, host: str) -> str:
    """Why `serve` can't open a port; empty if it can, or if AskPy is what uses it."""
    try:
        socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET).close()
    except OSError as error:
        if error.errno != errno.EADDRINUSE:
            return f"can't be opened ({error.strerror}); set PORT to another one"
        return "" if _is_askpy(port) else "in use by another program; end that, or set PORT to another one"
    return ""


def _is_askpy(port: int) -> bool:
    """Whether the program that uses a port names itself as our server does, and has our health page."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=HEALTH_TIMEOUT)
    try:
        connection.request("GET", HEALTH)
        response = connection.getresponse()
        body = response.read(200)
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
    if response.getheader("Server") != SERVER["Server"]:
        return False
    return any(body.strip().startswith(health_page(is_healthy)[2].strip()) for is_healthy in (True, False))
