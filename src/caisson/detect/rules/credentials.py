"""Credentials of providers and of people, by the forms that their issuers document (SEC-04).

The session tokens of Caisson itself are JWTs and the secrets beside them are found by their names. A hash, a UUID or an
ARN is no credential; a documented example key is one, because nobody can tell it from a real one for sure.

>>> len(CREDENTIALS) > 60
True
"""

# ruff: noqa: E501  (an expression broken over lines is harder to check than a long one)

from __future__ import annotations

from caisson.detect.checks.secrets import connection_password, distinct, password, random, random_not_uuid
from caisson.detect.rule import TOKEN, Check, Rule, Tail
from caisson.system.entities import PiiType

TYPE = "CREDENTIAL"
_URLSAFE = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-"
_BASE64 = _URLSAFE + "+/="
_KEY_BODY = _BASE64 + " \t\r\n\\:,.\"'"

_TOKENS: tuple[tuple[str, str], ...] = (
    ("aws-access-key-id", r"\b(?:A3T[A-Z0-9]|AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{16}\b"),
    ("aws-bedrock-api-key", r"\bABSK[A-Za-z0-9+/]{100,140}={0,2}|bedrock-api-key-[A-Za-z0-9+/=]{32,200}"),
    ("github-token", r"gh[pousr]_[A-Za-z0-9]{36,255}"),
    ("github-fine-grained-token", r"github_pat_[A-Za-z0-9_]{22,255}"),
    ("gitlab-token", r"(?:glpat|gldt|glptt|glrt|glcbt|glft|glsoat|glimt|glagent|GR1348941)-?[0-9A-Za-z_-]{20,64}"),
    ("slack-token", r"xox[abeoprs]-(?:\d-)?[A-Za-z0-9-]{10,200}"),
    ("slack-app-token", r"xapp-\d-[A-Z0-9]{8,16}-\d{8,16}-[a-f0-9]{32,80}"),
    ("slack-webhook", r"hooks\.slack\.com/(?:services|workflows|triggers)/[A-Za-z0-9+/]{40,80}"),
    ("stripe-key", r"\b(?:sk|rk|pk)_(?:live|test|prod)_[A-Za-z0-9]{10,128}"),
    ("stripe-webhook-secret", r"\bwhsec_[A-Za-z0-9+/=]{24,64}"),
    ("google-api-key", r"\bAIza[0-9A-Za-z_-]{35}"),
    ("google-oauth-token", r"\bya29\.[0-9A-Za-z_-]{20,256}"),
    ("google-oauth-secret", r"GOCSPX-[A-Za-z0-9_-]{28}"),
    ("google-refresh-token", r"\b1//0[A-Za-z0-9_-]{40,160}"),
    ("azure-client-secret", r"[A-Za-z0-9_~.-]{3}\dQ~[A-Za-z0-9_~.-]{31,34}"),
    ("azure-storage-key", r"AccountKey=[A-Za-z0-9+/]{86}=="),
    ("azure-sas-signature", r"[?&;]sig=[A-Za-z0-9%+/=]{40,128}"),
    ("azure-shared-access-key", r"SharedAccessKey=[A-Za-z0-9+/]{42,44}="),
    ("azure-devops-token", r"\b[A-Za-z0-9]{75,76}AZDO[A-Za-z0-9]{4}\b"),
    ("anthropic-key", r"sk-ant-[a-z0-9]{2,12}-[A-Za-z0-9_-]{20,128}"),
    ("openai-key", r"\bsk-(?:proj-|svcacct-|admin-|None-)?[A-Za-z0-9_-]{20,200}"),
    ("huggingface-token", r"\b(?:hf_[A-Za-z0-9]{30,40}|api_org_[A-Za-z0-9]{30,40})"),
    ("groq-key", r"\bgsk_[A-Za-z0-9]{48,56}"),
    ("xai-key", r"\bxai-[A-Za-z0-9]{70,90}"),
    ("perplexity-key", r"\bpplx-[A-Za-z0-9]{40,64}"),
    ("replicate-token", r"\br8_[A-Za-z0-9]{37,40}"),
    ("npm-token", r"\bnpm_[A-Za-z0-9]{36}"),
    ("pypi-token", r"pypi-AgE[A-Za-z0-9_-]{50,250}"),
    ("rubygems-key", r"\brubygems_[a-f0-9]{48}"),
    ("crates-token", r"\bcio[A-Za-z0-9]{32}\b"),
    ("nuget-key", r"\boy2[a-z0-9]{43}\b"),
    ("docker-token", r"\bdckr_(?:pat|oat)_[A-Za-z0-9_-]{27,40}"),
    ("twilio-key", r"\b(?:SK|AC)[0-9a-f]{32}\b"),
    ("sendgrid-key", r"\bSG\.[A-Za-z0-9_-]{16,32}\.[A-Za-z0-9_-]{16,64}"),
    ("mailgun-key", r"\b(?:key-[0-9a-f]{32}|pubkey-[0-9a-f]{32}|[0-9a-f]{32}-[0-9a-f]{8}-[0-9a-f]{8})\b"),
    ("mailchimp-key", r"\b[0-9a-f]{32}-us\d{1,2}\b"),
    ("brevo-key", r"xkeysib-[a-f0-9]{64}-[A-Za-z0-9]{16}"),
    ("telegram-bot-token", r"\b\d{8,10}:AA[A-Za-z0-9_-]{32,34}"),
    ("discord-token", r"\b[MNO][A-Za-z0-9_-]{23,27}\.[A-Za-z0-9_-]{6}\.[A-Za-z0-9_-]{27,40}"),
    ("discord-webhook", r"discord(?:app)?\.com/api/webhooks/\d{17,20}/[A-Za-z0-9_-]{60,72}"),
    ("teams-webhook", r"webhook\.office\.com/webhookb2/[0-9a-f-]{36}@[0-9a-f-]{36}/IncomingWebhook/[0-9a-f]{32}/[0-9a-f-]{36}"),
    ("digitalocean-token", r"\bdo[oprt]_v1_[a-f0-9]{64}"),
    ("heroku-key", r"\bHRKU-[A-Za-z0-9_-]{36,64}"),
    ("linode-supabase-token", r"\bsb[ps]_[a-f0-9]{40}|\bsb_secret_[A-Za-z0-9_-]{20,64}"),
    ("databricks-token", r"\bdapi[a-f0-9]{32}(?:-\d)?"),
    ("doppler-token", r"\bdp\.(?:pt|st|ct|sa|scim|audit)\.[A-Za-z0-9_.-]{20,80}"),
    ("hashicorp-vault-token", r"\b(?:hvs|hvb|hvr)\.[A-Za-z0-9_-]{24,200}"),
    ("terraform-cloud-token", r"\b[A-Za-z0-9]{14}\.atlasv1\.[A-Za-z0-9=_-]{60,70}"),
    ("pulumi-token", r"\bpul-[a-f0-9]{40}"),
    ("grafana-token", r"\b(?:glsa_[A-Za-z0-9]{32}_[A-Fa-f0-9]{8}|glc_[A-Za-z0-9+/]{32,300}={0,2})"),
    ("newrelic-key", r"\bNR(?:AK|AL|II|IQ|JS|RA)-[A-Za-z0-9_-]{19,44}"),
    ("dynatrace-token", r"\bdt0[a-z]\d{2}\.[A-Z0-9]{24}\.[A-Z0-9]{64}"),
    ("sentry-token", r"\bsntry[su]_[A-Za-z0-9+/=_]{60,200}"),
    ("sonar-token", r"\bsq[upa]_[a-f0-9]{40}"),
    ("shopify-token", r"\bshp(?:at|ca|pa|ss|ua)_[a-fA-F0-9]{32}"),
    ("square-token", r"\b(?:sq0[a-z]{3}-[A-Za-z0-9_-]{22,43}|EAAA[A-Za-z0-9_-]{56,60})"),
    ("facebook-token", r"\bEAA[A-Za-z0-9]{90,300}"),
    ("airtable-token", r"\bpat[A-Za-z0-9]{14}\.[a-f0-9]{64}"),
    ("notion-token", r"\b(?:secret_[A-Za-z0-9]{43}|ntn_[A-Za-z0-9]{40,50})"),
    ("linear-key", r"\blin_(?:api|oauth)_[A-Za-z0-9]{32,64}"),
    ("figma-token", r"\bfig[dopuhr]_[A-Za-z0-9_-]{40,64}"),
    ("postman-key", r"\bPMAK-[a-f0-9]{24}-[a-f0-9]{34}"),
    ("atlassian-token", r"\bAT(?:ATT|CTT|BB)3?[A-Za-z0-9_=-]{24,250}"),
    ("artifactory-token", r"\bAKC[A-Za-z0-9]{10,100}|\bcmVmd[A-Za-z0-9]{59}"),
    ("planetscale-token", r"\bpscale_(?:tkn|pw|oauth)_[A-Za-z0-9_.=-]{32,64}"),
    ("mongodb-service-secret", r"\bmdb_sa_sk_[A-Za-z0-9_-]{32,48}"),
    ("cloudflare-token", r"\b(?:v1\.0-[a-f0-9]{24}-[a-f0-9]{146}|cf(?:ut|at|k)_[A-Za-z0-9]{40,60})"),
    ("fly-token", r"\b(?:fo1_[A-Za-z0-9_-]{43}|fm[12][ar]?_[A-Za-z0-9+/]{100,300})"),
    ("netlify-token", r"\bnf[pcou]_[A-Za-z0-9]{36}"),
    ("tailscale-key", r"\btskey-[a-z]{2,12}-[A-Za-z0-9_-]{10,80}"),
    ("dropbox-token", r"\bsl\.[A-Za-z0-9_-]{130,200}"),
    ("age-secret-key", r"AGE-SECRET-KEY-1[A-Z0-9]{58}"),
    ("1password-token", r"\bops_eyJ[A-Za-z0-9+/=]{100,400}|\bA3-[A-Z0-9]{6}-(?:[A-Z0-9]{11}|[A-Z0-9]{6}-[A-Z0-9]{5})(?:-[A-Z0-9]{5}){3}"),
    ("prefect-token", r"\bpn[ub]_[A-Za-z0-9]{36}"),
    ("readme-key", r"\brdme_[a-z0-9]{70}"),
    ("typeform-token", r"\btfp_[A-Za-z0-9_.=-]{40,60}"),
    ("duffel-easypost-key", r"\b(?:duffel_(?:test|live)_[A-Za-z0-9_=-]{43}|EZ[AT]K[A-Za-z0-9]{54})"),
)  # fmt: skip
"""Tokens with a form of their own: name and pattern."""

_NAME = (
    r"(?:pass(?:word|wd|phrase|code)|pwd|secrets?|tokens?|api[_ .-]?key|access[_ .-]?key|auth(?:[_ .-]?key)?"
    r"|private[_ .-]?key|encryption[_ .-]?key|signing[_ .-]?key|shared[_ .-]?key|account[_ .-]?key|credentials?)"
)
_NAME_OPENER = r"(?i)(?:pass|pwd|secret|token|api|access|auth|private|encryption|signing|shared|account|credential)"
_ASSIGN = r"[\"'\]`]{0,2}\s{0,4}(?:=>|:=|\|\||[:=])\s{0,4}[\"'`]{0,3}"
_NAMED: tuple[tuple[str, str, str, Check], ...] = (
    ("aws-secret-access-key", r"(?i)(?:aws|secret|access)",
     r"(?i)(?:aws|secret|access)[A-Za-z0-9_ .-]{0,20}?(?:key|token)?[\"'\]]{0,2}\s{0,4}(?:=>|[:=]|\bis\b|,)?\s{0,4}[\"'`]{0,2}"
     r"([A-Za-z0-9+/]{40})(?:[^A-Za-z0-9+/=]|$)", random),
    ("secret-by-name", _NAME_OPENER,
     r"(?i)" + _NAME + r"[A-Za-z0-9_]{0,12}" + _ASSIGN + r"([A-Za-z0-9_+/=.~!@#%^*-]{16,200})", random_not_uuid),
    ("secret-after-name", r"(?i)(?:key|secret|token|private|access)",
     r"(?i)(?:key|secret|token|private|access)[A-Za-z_]{0,12}[\"'\]]{0,2}(?:\s{0,3}(?:=>|[?:|]{0,2}=|:)\s{0,3}|\s{1,2}|-)[\"'`]{0,3}"
     r"([A-Za-z0-9_+/=.-]{20,200})", random_not_uuid),
    ("password-by-name", r"(?i)(?:pass|pwd|secret)",
     r"(?i)(?:pass(?:word|wd|phrase|code)?|pwd|secret)[A-Za-z0-9_]{0,12}" + _ASSIGN + r"([^ \t\r\n\f\x0b\"'`,;<>(){}\[\]]{6,64})",
     password),
    ("password-in-words", r"(?i)\b(?:pass|pwd|api|secret|access)",
     r"(?i)\b(?:pass(?:word|phrase|code)|pwd|api\skey|secret\skey|access\stoken)\s(?:(?:is|was|to|of|as)\s|is:\s?)[\"'`]?"
     r"([^ \t\r\n\f\x0b\"'`,;<>(){}\[\]]{6,128})", password),
    ("bearer-token", r"(?i)\bbearer", r"(?i)\bbearer[\s:]{1,3}([A-Za-z0-9._~+/-]{16,200}=?)", random_not_uuid),
    ("okta-token", r"\bSSWS", r"\bSSWS\s{1,3}(00[A-Za-z0-9_-]{40})", distinct),
    ("basic-authorization", r"(?i)\bbasic", r"(?i)\bbasic\s{1,3}([A-Za-z0-9+/]{12,200}={0,2})", random),
    ("command-line-password", r"\B-{1,2}u",
     r"\B-{1,2}u(?:ser)?[\s=]{0,2}[\"']?[A-Za-z0-9._-]{1,64}:([^ \t\r\n\f\x0b\"'@]{6,64})", password),
)  # fmt: skip
"""Secrets that their surroundings name: name, how a match begins, pattern with the value as its group, check."""

BY_FORM: tuple[Rule, ...] = (
    Rule(
        id="credentials.private-key",
        type=TYPE,
        pattern=r"-----BEGIN[A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----",
        opener="-----BEGIN",
        tail=Tail(characters=_KEY_BODY, closer="KEY-----"),
    ),
    Rule(
        id="credentials.jwt",
        type=TYPE,
        pattern=r"\bey[IJ][A-Za-z0-9_-]{10,512}\.ey[A-Za-z0-9_-]{8}",
        alphabet=TOKEN,
        tail=Tail(characters=_URLSAFE + "."),
    ),
    Rule(
        id="credentials.encrypted-jwt",
        type=TYPE,
        pattern=r"\bey[IJ][A-Za-z0-9_-]{10,512}\.[A-Za-z0-9_-]{0,700}\.[A-Za-z0-9_-]{12,24}\.[A-Za-z0-9_-]{8}",
        alphabet=TOKEN,
        tail=Tail(characters=_URLSAFE + "."),
    ),
    Rule(
        id="credentials.connection-string",
        type=TYPE,
        pattern=r"\b[A-Za-z][A-Za-z0-9+.-]{1,24}://[!#-&(-.0-9;=?A-~]{0,64}:([!#-&(-.0-;=?A-~]{3,128})@",
        alphabet=TOKEN,
        check=connection_password,
    ),
    *(
        Rule(id=f"credentials.{name}", type=TYPE, pattern=pattern, alphabet=TOKEN, check=distinct)
        for name, pattern in _TOKENS
    ),
)
"""Credentials that are recognised wherever they stand; earlier rules win at the same place and length."""

BY_SURROUNDINGS: tuple[Rule, ...] = tuple(
    Rule(id=f"credentials.{name}", type=TYPE, pattern=pattern, opener=opener, check=check)
    for name, opener, pattern, check in _NAMED
)
"""Secrets that only what stands before them gives away. They are looked for once the others are gone."""

CREDENTIALS = (*BY_FORM, *BY_SURROUNDINGS)

BEDROCK_TYPES: dict[PiiType, str] = {
    "AWS_ACCESS_KEY": "credentials.aws-access-key-id",
    "AWS_SECRET_KEY": "credentials.aws-secret-access-key",
}
"""Types of personal data in Bedrock's list that are credentials here."""
