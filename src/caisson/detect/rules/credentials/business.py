"""Tokens of the services in which people keep their work and their customers."""

from __future__ import annotations

from caisson.detect.checks.secrets import distinct, varied
from caisson.detect.rules.credentials.form import HEX, UUID, Table, tokens

_TELLING: Table = (
    ("asana-token", rf"\b[12]/\d{{10,18}}(?:/\d{{10,18}})?:{HEX}{{32}}"),
    ("canva-secret", r"\bcnvca[A-Za-z0-9_-]{30,80}"),
    ("clickup-token", r"\bpk_\d{6,10}_[A-Z0-9]{32,36}"),
    ("frameio-token", r"\bfio-u-[A-Za-z0-9_=-]{64}"),
    ("hubspot-token", rf"\bpat-(?:na|eu|ap)\d?-{UUID}"),
    ("linear-key", r"\blin_(?:api|oauth|wh)_[A-Za-z0-9]{32,64}"),
    ("supernotes-key", r"\bsupernotes_sk-[A-Za-z0-9_-]{30,60}"),
    ("teamwork-token", r"\btkn\.v1_[A-Za-z0-9=_-]{60,80}"),
    ("typeform-token", r"\btfp_[A-Za-z0-9_.=-]{40,60}"),
    ("voiceflow-key", r"\bVF\.(?:DM|WS)\.[A-Za-z0-9]{20,26}\.[A-Za-z0-9]{16}"),
    ("webflow-token", r"\bws-[a-f0-9]{64}\b"),
    ("miro-token", r"\beyJtaXJvLm9yaWdpbi[A-Za-z0-9_-]{20,80}"),
)  # fmt: skip
"""Nothing else begins so."""

_SHORT: Table = (
    ("airtable-token", r"\bpat[A-Za-z0-9]{14}\.[a-f0-9]{64}|\bkey[A-Za-z0-9]{14}\b"),
    ("beamer-token", r"\bb_[A-Za-z0-9=_-]{44}\b"),
    ("cal-key", r"\bcal_(?:live_)?[a-f0-9]{32}\b"),
    ("clearbit-key", rf"\b[sp]k_{HEX}{{32}}\b"),
    ("coda-token", rf"\b{UUID}-[a-z0-9]{{10,20}}\b", r"-[0-9a-fA-F]{12}-[a-z0-9]{10}"),
    ("dropbox-token", r"\bsl\.(?:u\.)?[A-Za-z0-9_-]{130,1000}"),
    ("notion-token", r"\b(?:secret_[A-Za-z0-9]{43}|ntn_[A-Za-z0-9]{40,50})"),
    ("dfuse-key", rf"\b(?:web|server|mobile)_{HEX}{{32}}\b"),
    ("fullstory-key", r"\bna1\.[A-Za-z0-9+/]{80,120}={0,2}"),
    ("segment-token", r"\bsgp_[A-Za-z0-9]{64}"),
    ("close-key", r"\bapi_[A-Za-z0-9]{20,24}\.[A-Za-z0-9]{20,24}\b"),
    ("lob-key", r"\b(?:live|test)_[a-f0-9]{35}\b"),
)  # fmt: skip

BUSINESS = (*tokens(_TELLING, varied), *tokens(_SHORT, distinct))
