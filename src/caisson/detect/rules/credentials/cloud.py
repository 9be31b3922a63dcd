"""Keys of clouds and of those who host things: AWS, Azure, Google, and smaller ones."""

# ruff: noqa: E501  (an expression broken over lines is harder to check than a long one)

from __future__ import annotations

from caisson.detect.checks.secrets import azure_key, distinct, varied
from caisson.detect.rules.credentials.form import BASE64, HEX, UUID, Table, long_tokens, tokens

_TELLING: Table = (
    ("aws-access-key-id", r"\b(?:A3T[A-Z0-9]|AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{16}\b"),
    ("aws-bedrock-api-key", r"\bABSK[A-Za-z0-9+/]{100,140}={0,2}"),
    ("aws-mws-token", rf"\bamzn\.mws\.{UUID}"),
    ("amazon-oauth-secret", r"\bamzn1\.(?:oa2-cs\.v1|application-oa2-client)\.[a-f0-9]{32,64}"),
    ("google-oauth-token", r"\bya29\.[0-9A-Za-z_-]{20,256}"),
    ("google-oauth-secret", r"GOCSPX-[A-Za-z0-9_-]{28}"),
    ("google-oauth-client", r"\b\d{6,14}-[a-z0-9]{32}\.apps\.googleusercontent\.com"),
    ("firebase-messaging-key", r"\bAAAA[A-Za-z0-9_-]{7}:[A-Za-z0-9_-]{140}"),
    ("azure-storage-key", r"AccountKey=[A-Za-z0-9+/]{86}=="),
    ("azure-sas-signature", r"[?&;]sig=[A-Za-z0-9%+/=]{40,128}"),
    ("azure-shared-access-key", r"SharedAccessKey=[A-Za-z0-9+/]{42,44}="),
    ("azure-devops-token", r"\b[A-Za-z0-9]{75,76}AZDO[A-Za-z0-9]{4}\b"),
    ("azure-service-key", r"\b[A-Za-z0-9_-]{40,52}(?:AzFu|AzSe|AzCa|AIoT|APIM)[A-Za-z0-9_-]{4,8}={0,2}"),
    ("azure-ai-key", r"\b[A-Za-z0-9]{30,60}J[A-Z]{2}J99[A-Za-z0-9]{20,36}={0,2}"),
    ("azure-data-key", r"\b[A-Za-z0-9+/]{74,78}(?:\+ASt|\+ABa|ACDb)[A-Za-z0-9+/]{4,8}=="),
    ("digitalocean-token", rf"\bdo[oprt]_v1_{HEX}{{64}}"),
    ("digitalocean-spaces-key", r"\bDO00[A-Z0-9]{16}\b"),
    ("scaleway-access-key", r"\bSCW[A-Z0-9]{17}\b"),
    ("yandex-cloud-key", r"\b(?:AQVN[A-Za-z0-9_-]{35,38}|YC[A-Za-z0-9_-]{38}|t1\.[A-Za-z0-9_-]{20,120}={0,2}\.[A-Za-z0-9_-]{86}={0,2})"),
    ("cloudflare-token", rf"\b(?:v1\.0-{HEX}{{24}}-{HEX}{{146}}|cf(?:ut|at|k)_[A-Za-z0-9]{{40,60}})"),
    ("akamai-credential", r"\bakab-[a-z0-9]{16}-[a-z0-9]{16}"),
    ("fly-token", r"\bfo1_[A-Za-z0-9_-]{43}"),
    ("netlify-token", r"\bnf[pcoub]_[A-Za-z0-9]{36,40}"),
    ("vercel-blob-token", r"\bvercel_blob_rw_[A-Za-z0-9]{16}_[A-Za-z0-9]{30,40}"),
    ("tailscale-key", r"\btskey-[a-z]{2,12}-[A-Za-z0-9_-]{10,80}"),
    ("scalingo-token", r"\btk-us-[A-Za-z0-9_-]{48}"),
    ("openshift-token", r"\bsha256~[A-Za-z0-9_-]{43}"),
    ("terraform-cloud-token", r"\b[A-Za-z0-9]{14}\.atlasv1\.[A-Za-z0-9=_-]{60,70}"),
    ("hashicorp-vault-token", r"\b(?:hvs|hvb|hvr)\.[A-Za-z0-9_-]{20,300}"),
    ("pulumi-token", rf"\bpul-{HEX}{{40}}"),
    ("doppler-token", r"\bdp\.(?:pt|st|ct|sa|scim|audit)\.[A-Za-z0-9_.-]{20,80}"),
    ("infisical-token", rf"\bst\.{HEX}{{24}}\.{HEX}{{32}}\.{HEX}{{32}}"),
    ("linode-supabase-token", rf"\bsb[ps]_{HEX}{{40}}|\bsb_secret_[A-Za-z0-9_-]{{20,64}}"),
    ("zerotier-secret", r"\b[0-9a-f]{10}:0:[0-9a-f]{128}:[0-9a-f]{128}"),
    ("defined-networking-key", r"\bdnkey-[a-z0-9=_-]{26}-[a-z0-9=_-]{52}"),
)  # fmt: skip
"""Nothing else begins so."""

_SHORT: Table = (
    ("google-api-key", r"\bAIza[0-9A-Za-z_-]{35}"),
    ("alibaba-access-key-id", r"\bLTAI[A-Za-z0-9]{12,22}\b"),
    ("tencent-secret-id", r"\bAKID[A-Za-z0-9]{13,40}\b"),
    ("google-refresh-token", r"\b1//0[A-Za-z0-9_-]{40,160}"),
    ("google-hmac-key-id", r"\bGOOG1?[A-Z0-9]{10,57}\b"),
    ("azure-client-secret", r"\b[A-Za-z0-9_~.-]{3}\dQ~[A-Za-z0-9_~.-]{31,34}"),
    ("azure-container-key", r"\b[A-Za-z0-9+/]{42,46}\+ACR[A-Za-z0-9]{4,8}"),
    ("heroku-key", r"\bHRKU-[A-Za-z0-9_-]{36,64}"),
    ("yandex-oauth-token", r"\by[0-3]_[A-Za-z0-9_-]{50,60}"),
    ("render-key", r"\brnd_[A-Za-z0-9]{24,36}"),
    ("vercel-token", r"\bvc[pkiar]_[A-Za-z0-9]{24,60}"),
    ("ngrok-token", r"\b(?:[12][A-Za-z0-9]{26}_[A-Za-z0-9]{20,21}|(?:ak|cr)_[A-Za-z0-9]{27})\b"),
    ("hashicorp-vault-old-token", r"\b[sbr]\.[A-Za-z0-9]{24}\b", r"[sbr]\.[A-Za-z0-9]{24}"),
)  # fmt: skip
"""Names of programs may begin so too."""

_LONG: Table = (
    ("aws-session-token", r"\b(?:FwoGZXIvYXdz|FQoGZXIvYXdz|IQoJb3JpZ2lu)[A-Za-z0-9+/]{40}"),
    ("aws-bedrock-presigned-key", r"bedrock-api-key-YmVkcm9jay5hbWF6b25hd3MuY29t[A-Za-z0-9+/=]{8}"),
    ("fly-macaroon", r"\bfm[12][ar]?_[A-Za-z0-9+/]{60}"),
)

_NAMED: Table = (("azure-form-key", r"\b[A-Za-z0-9+/]{86}=="),)

CLOUD = (*tokens(_TELLING, varied), *tokens(_SHORT, distinct), *long_tokens(_LONG, BASE64), *tokens(_NAMED, azure_key))
