"""Tokens of databases, monitoring, identity and devices."""

from __future__ import annotations

from caisson.detect.checks.secrets import distinct, varied
from caisson.detect.rules.credentials.form import BASE64, UUID, Table, long_tokens, tokens

_TELLING: Table = (
    ("grafana-token", r"\bglsa_[A-Za-z0-9]{32}_[A-Fa-f0-9]{8}"),
    ("newrelic-key", r"\bNR(?:AK|AL|II|IQ|JS|RA|BR|SP)-[A-Za-z0-9_-]{19,44}"),
    ("dynatrace-token", r"\bdt0[a-z]\d{2}\.[A-Z0-9]{24}\.[A-Z0-9]{64}"),
    ("pagerduty-key", r"\bpdus\+_[A-Za-z0-9_-]{20,60}"),
    ("posthog-key", r"\bph[cxas]_[A-Za-z0-9]{40,50}"),
    ("logfire-token", r"\bpylf_v\d_[a-z]{2,8}_[A-Za-z0-9]{40,60}"),
    ("axiom-token", rf"\bxa(?:at|pt|it)-{UUID}"),
    ("mongodb-service-secret", r"\bmdb_sa_sk_[A-Za-z0-9_-]{32,48}"),
    ("planetscale-token", r"\bpscale_(?:tkn|pw|oauth|pwd)_[A-Za-z0-9_.=-]{32,64}"),
    ("neon-key", r"\bnapi_[a-z0-9]{64}|\bnpg_[A-Za-z0-9]{12,20}"),
    ("xata-key", r"\bxau_[A-Za-z0-9]{40,48}"),
    ("aiven-password", r"\bAVNS_[A-Za-z0-9_-]{15,24}"),
    ("tinybird-token", r"\bp\.eyJ1[A-Za-z0-9_-]{40,140}\.[A-Za-z0-9_-]{40,50}"),
    ("dbt-token", r"\bdbt[cu]_[A-Za-z0-9_-]{36,60}"),
    ("metabase-key", r"\bmb_[A-Za-z0-9+/]{43}="),
    ("jumpcloud-key", r"\bjca_[A-Za-z0-9]{36}"),
    ("1password-secret-key", r"\bA3-[A-Z0-9]{6}-(?:[A-Z0-9]{11}|[A-Z0-9]{6}-[A-Z0-9]{5})(?:-[A-Z0-9]{5}){3}"),
    ("bitwarden-token", rf"\b0\.{UUID}\.[A-Za-z0-9]{{30}}:[A-Za-z0-9+/]{{22}}=="),
    ("age-secret-key", r"AGE-SECRET-KEY-1[A-Z0-9]{58}"),
    ("adafruit-key", r"\baio_[A-Za-z0-9]{28}"),
    ("ubidots-token", r"\bBB(?:FF|US)-[A-Za-z0-9]{28,40}"),
    ("blynk-client", r"\boa2-client-id_[A-Za-z0-9_-]{32}"),
    ("maxmind-key", r"\b[A-Za-z0-9]{6}_[A-Za-z0-9]{29}_mmk"),
    ("mapbox-token", r"\b[pst]k\.eyJ[A-Za-z0-9_-]{40,120}\.[A-Za-z0-9_-]{20,30}"),
    ("turnstile-hcaptcha-key", r"\b0x4A{4,6}[A-Za-z0-9_-]{20,40}|\bES_[a-f0-9]{32}"),
    ("netbox-token", r"\bnbt_[A-Za-z0-9]{12}\.[A-Za-z0-9]{40}"),
    ("rancher-token", r"\btoken-[a-z0-9]{5}:[a-z0-9]{54}"),
    ("k3s-token", r"\bK10[a-f0-9]{64}::[A-Za-z0-9:]{10,60}"),
    ("boundary-token", r"\bat_[A-Za-z0-9]{10}_[A-Za-z0-9]{60,160}"),
    ("salesforce-session", r"\b00D[A-Za-z0-9]{12,15}![A-Za-z0-9._]{80,120}"),
    ("secret-token-uri", r"\bsecret-token:[A-Za-z0-9._~:/?#@!$&'()*+,;=%-]{16,200}"),
)  # fmt: skip
"""Nothing else begins so."""

_SHORT: Table = (
    ("newrelic-licence-key", r"\b(?:eu01xx)?[0-9a-f]{30,40}NRAL\b|\beu01xx[0-9a-f]{34}\b"),
    ("honeycomb-key", r"\bhc[a-z]{2,4}_[a-z0-9]{50,64}|\bhc[abmxw][lik][a-z]_[a-z0-9]{26,64}"),
    ("checkly-key", r"\bcu_[a-f0-9]{32}\b"),
    ("clickhouse-key", r"\b4b1d[A-Za-z0-9]{38}\b"),
    ("confluent-key", r"\bcflt[A-Za-z0-9+/]{60}"),
    ("fauna-key", r"\bfn(?:AE|Ae)[A-Za-z0-9_-]{34,60}"),
    ("agora-token", r"\b007eJx[A-Za-z0-9+/=]{60,300}"),
    ("recaptcha-key", r"\b6L[c-f][A-Za-z0-9_-]{37}\b"),
    ("ably-pusher-key", r"\b[A-Za-z0-9_-]{6}\.[A-Za-z0-9_-]{6}:[A-Za-z0-9_-]{22,43}\b",
     r"\.[A-Za-z0-9_-]{6}:[A-Za-z0-9_-]{22}"),
)  # fmt: skip
"""Names of programs may begin so too."""

_LONG: Table = (
    ("grafana-cloud-token", r"\bglc_[A-Za-z0-9+/]{32}"),
    ("grafana-api-key", r"\beyJrIjoi[A-Za-z0-9+/]{40}"),
    ("docker-swarm-token", r"\bSWM(?:TKN|KEY)-1-[A-Za-z0-9+/_-]{40}"),
    ("ntlm-message", r"\bTlRMTVNTUAADAAAA[A-Za-z0-9+/]{20}"),
    ("ebay-token", r"\bv\^1\.1#i\^1#[A-Za-z0-9^#+/=]{40}"),
)

OPERATIONS = (*tokens(_TELLING, varied), *tokens(_SHORT, distinct), *long_tokens(_LONG, BASE64))
