"""Whether a port can be reached from this machine: what lies behind the peering often cannot."""

from __future__ import annotations

import socket

FROM_INSIDE = "run it from a host in the management network, or check route and firewall to that port"
"""What to do where this machine is in the wrong network to tell."""


def closed(host: str, port: int, seconds: float) -> str:
    """Return why a TCP port cannot be reached; empty where it can."""
    try:
        socket.create_connection((host, port), timeout=seconds).close()
    except socket.gaierror:
        return "the name is not known here"
    except TimeoutError:
        return f"no answer within {seconds:g} s"
    except OSError as error:
        return (error.strerror or str(error)).lower()
    return ""
