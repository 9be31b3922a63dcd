"""Keys that move money, parcels or coins."""

from __future__ import annotations

from caisson.detect.checks.secrets import distinct, varied
from caisson.detect.rules.credentials.form import HEX, UUID, Table, tokens

_TELLING: Table = (
    ("square-token", r"\b(?:sq0[a-z]{3}-[A-Za-z0-9_-]{22,50}|EAAA[A-Za-z0-9_-]{56,60})"),
    ("stripe-webhook-secret", r"\bwhsec_[A-Za-z0-9+/=]{24,64}"),
    ("braintree-token", r"access_token\$(?:production|sandbox)\$[a-z0-9]{16}\$[a-z0-9]{32}"),
    ("razorpay-key", r"\brzp_(?:live|test)_[A-Za-z0-9]{14,24}"),
    ("adyen-key", r"\bAQE[a-z]h[A-Za-z0-9+/]{80,160}={0,2}-[A-Za-z0-9+/=]{30,60}-[A-Za-z0-9]{10,20}"),
    ("flutterwave-key", r"\bFLW(?:PUBK|SECK)(?:_TEST)?-[a-z0-9]{12,34}(?:-X)?"),
    ("paddle-key", r"\bpdl_(?:live|sdbx)_apikey_[a-z0-9]{26}_[A-Za-z0-9]{22}_[A-Za-z0-9]{3}"),
    ("mercadopago-token", r"\b(?:APP_USR|TEST)-\d{10,20}-\d{6}-[a-f0-9]{32}-\d{5,12}"),
    ("plaid-token", rf"\b(?:access|public|link)-(?:sandbox|development|production)-{UUID}"),
    ("shopify-token", r"\bshp(?:at|ca|pa|ss|ua|rt|ka|tka)_[a-fA-F0-9]{32}"),
    ("duffel-token", r"\bduffel_(?:test|live)_[A-Za-z0-9_=-]{43}"),
    ("shippo-token", r"\bshippo_(?:live|test)_[a-fA-F0-9]{40}"),
    ("flexport-key", r"\bshltm_[A-Za-z0-9_-]{40}"),
    ("fleetbase-key", r"\bflb_(?:live|test)_[A-Za-z0-9]{20}"),
    ("persona-key", rf"\bpersona_(?:sandbox|production)_{UUID}"),
    ("brex-ramp-token", r"\bbxt_[A-Za-z0-9]{40,60}|\bramp_(?:id|sec|tok|business_tok)_[A-Za-z0-9]{30,60}"),
    ("bitcoin-extended-key", r"\b[xyzt]prv[1-9A-HJ-NP-Za-km-z]{100,112}\b"),
    ("coinbase-key", rf"organizations/{UUID}/apiKeys/{UUID}"),
    ("alchemy-token", r"\balcht_[A-Za-z0-9]{30}"),
    ("whop-key", r"\bapik_[A-Za-z0-9]{10,30}_[A-Za-z0-9_]{20,60}"),
    ("asaas-token", r"\$aact_(?:prod_|hmlg_)?[A-Za-z0-9=:$+/-]{60,260}"),
    ("efi-key", r"\bClient_Secret_[a-f0-9]{40}|\bClient_Id_[a-f0-9]{40}"),
)  # fmt: skip
"""Nothing else begins so."""

_SHORT: Table = (
    ("stripe-key", r"\b(?:sk|rk|pk)_(?:live|test|prod)_[A-Za-z0-9]{10,250}"),
    ("checkout-key", r"\b[sp]k_(?:sbox_)?[a-z0-9]{26}[a-z0-9#$*=]?\b"),
    ("mollie-gocardless-lob-key", r"\b(?:live|test)_(?:pub_)?[A-Za-z0-9_=-]{28,42}\b"),
    ("woocommerce-key", rf"\bc[ks]_{HEX}{{40}}"),
    ("easypost-key", r"\bEZ[AT]K[A-Za-z0-9]{54}\b"),
    ("bitcoin-private-key", r"\b[5KL][1-9A-HJ-NP-Za-km-z]{50,51}\b"),
)  # fmt: skip

PAYMENTS = (*tokens(_TELLING, varied), *tokens(_SHORT, distinct))
