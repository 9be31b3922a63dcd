"""Addresses of the networks that a transit gateway joins; they differ, unlike those of zones that are never joined."""

from __future__ import annotations

from caisson.deploy.zone_network import ADDRESSES as RUNTIME

TOOLS = "10.64.16.0/20"
INSPECTION = "10.64.32.0/20"
TOOL_SUBNETS = ("10.64.16.0/24", "10.64.17.0/24")
TOOL_TRANSIT = ("10.64.31.0/28", "10.64.31.16/28")
RUNTIME_TRANSIT = ("10.64.15.0/28", "10.64.15.16/28")
INSPECTION_TRANSIT = ("10.64.32.0/28", "10.64.32.16/28")
INSPECTION_FIREWALL = ("10.64.33.0/28", "10.64.33.16/28")
INSPECTION_PUBLIC = ("10.64.34.0/28", "10.64.34.16/28")
"""One in each of two availability zones."""
PRIVATE = ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "169.254.0.0/16")
"""Never a host of the internet (RFC 1918, RFC 6598, RFC 3927)."""
ANYWHERE = "0.0.0.0/0"

__all__ = [
    "ANYWHERE", "INSPECTION", "INSPECTION_FIREWALL", "INSPECTION_PUBLIC", "INSPECTION_TRANSIT", "PRIVATE", "RUNTIME",
    "RUNTIME_TRANSIT", "TOOLS", "TOOL_SUBNETS", "TOOL_TRANSIT",
]  # fmt: skip
