"""What the firewall lets through, as Suricata rules: the file's hosts by name, each with its reason (row S50). Pure.

A host has a rule for the name of the TLS handshake and one for the name of the request inside, which TLS inspection
shows (Network Firewall developer guide, tls-inspection-policy-v2-two-rules, says why one is not enough). What no rule
passes is dropped: TCP by the policy's default action in strict order, anything else before the rules.
"""

from __future__ import annotations

from collections.abc import Sequence

from caisson.deploy.destinations import HOSTS_MAX, Destination

CAPACITY = 10 * HOSTS_MAX
"""Rules that the group has room for. It cannot be changed later (API reference, CreateRuleGroup)."""
RUNTIME_NET, TOOLS_NET = "RUNTIME_NET", "TOOLS_NET"


def rules(found: Sequence[Destination], *, runtime: bool) -> str:
    """A rule a line.

    Args:
        found: hosts; those of tools are open to the tool VPC.
        runtime: whether the runtime is attached, which calls every host.
    """
    lines: list[str] = []
    for destination in found:
        sources = [f"${RUNTIME_NET}"] * runtime + [f"${TOOLS_NET}"] * destination.of_tool
        if sources:
            for protocol, matched in (("tls", "tls.sni"), ("http", "http.host")):
                anycase = " nocase;" if protocol == "tls" else ""  # http.host is in small letters already
                lines.append(
                    f"pass {protocol} [{','.join(sources)}] any -> $EXTERNAL_NET {destination.port} "
                    f'({matched}; content:"{destination.host}"; startswith; endswith;{anycase} flow:to_server; '
                    f'msg:"{destination.reason}"; sid:{len(lines) + 1}; rev:1;)'
                )
    return "\n".join(lines)
