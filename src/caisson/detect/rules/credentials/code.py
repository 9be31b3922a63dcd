"""Tokens of those who host code, packages, builds and the tools around them."""

# ruff: noqa: E501  (an expression broken over lines is harder to check than a long one)

from __future__ import annotations

from caisson.detect.checks.secrets import crc32_token, distinct, varied
from caisson.detect.rules.credentials.form import BASE64, HEX, UUID, Table, long_tokens, tokens

_CHECKSUMMED: Table = (
    ("github-token", r"\bgh[pousr]_[A-Za-z0-9]{36,255}"),
    ("npm-token", r"\bnpm_[A-Za-z0-9]{36}"),
)
"""The last six characters are a CRC-32 of the rest."""

_TELLING: Table = (
    ("github-fine-grained-token", r"github_pat_[A-Za-z0-9_]{22,255}"),
    ("wakatime-key", rf"\bwaka_{UUID}"),
    ("zuplo-key", r"\bzpka_[a-f0-9]{32}_[a-f0-9]{8}\b"),
    ("endor-key", r"\bendr\+[A-Za-z0-9-]{16}\b"),
    ("gitlab-runner-token", r"\bGR1348941[0-9A-Za-z_-]{20,32}"),
    ("atlassian-token", r"\bAT(?:ATT|CTT|BB|LA|STT)3?[A-Za-z0-9_=-]{24,250}"),
    ("trello-token", r"\bATTA[a-f0-9]{60,80}"),
    ("pypi-token", r"\bpypi-AgE[A-Za-z0-9_-]{50,250}"),
    ("rubygems-key", rf"\brubygems_{HEX}{{48}}"),
    ("clojars-token", r"(?i)\bCLOJARS_[a-z0-9]{60}"),
    ("packagist-token", rf"\bpackagist_[ou][ru]t_{HEX}{{68}}"),
    ("docker-token", r"\bdckr_(?:pat|oat)_[A-Za-z0-9_-]{27,40}"),
    ("circleci-token", r"\bCCI(?:PAT|PRJ)_[A-Za-z0-9]{22}_[a-f0-9]{40}"),
    ("harness-token", r"\b[ps]at\.[A-Za-z0-9_-]{22}\.[a-f0-9]{24}\.[A-Za-z0-9]{20}"),
    ("sonar-token", rf"\bsq[upa]_{HEX}{{40}}"),
    ("snyk-token", r"\bsnyk_(?:uat|sat)\.[a-z0-9]{8}\.[A-Za-z0-9_.-]{30,200}"),
    ("sourcegraph-token", r"\bsgp_(?:[a-fA-F0-9]{16}_|local_)?[a-fA-F0-9]{40}|\bslk_[a-f0-9]{64}|\bsgd_[a-f0-9]{64}"),
    ("sentry-token", r"\bsntry[su]_[A-Za-z0-9+/=_]{60,200}"),
    ("sentry-dsn", r"https://[0-9a-f]{32}(?::[0-9a-f]{32})?@[a-z0-9.]{1,40}\.ingest\."),
    ("postman-key", r"\bPMAK-[a-f0-9]{24}-[a-f0-9]{34}|\bPMAT-[A-Z0-9]{26}"),
    ("launchdarkly-key", rf"\b(?:sdk|mob|api|rel)-{UUID}"),
    ("stytch-secret", r"\bsecret-(?:live|test)-[A-Za-z0-9_=-]{36}"),
    ("infracost-key", r"\bico-[A-Za-z0-9]{32}"),
    ("prefect-token", r"\bpn[ub]_[A-Za-z0-9]{36}"),
    ("rapidapi-key", r"\b[A-Za-z0-9]{10}msh[A-Za-z0-9]{14,18}p1[A-Za-z0-9]{4,6}jsn[A-Za-z0-9]{10,14}\b"),
    ("contentful-token", r"\bCFPAT-[A-Za-z0-9_-]{43}"),
    ("stackhawk-key", r"\bhawk\.[A-Za-z0-9_-]{20}\.[A-Za-z0-9_-]{20}"),
    ("settlemint-token", r"\bsm_(?:aat|pat|sat)_[A-Za-z0-9]{16}"),
    ("readme-key", r"\brdme_[a-z0-9]{70}"),
    ("teamcity-token", r"\beyJ0eXAiOiAiVENWMiJ9\.[A-Za-z0-9_-]{30,60}\.[A-Za-z0-9=_-]{40,60}"),
    ("ansible-vault", r"\$ANSIBLE_VAULT;1\.[12];AES256[;A-Za-z0-9_-]{0,40}"),
    ("polar-token", r"\bpolar_(?:pat|oat|at_[a-z]|rt_[a-z]|whs)_[A-Za-z0-9]{30,60}"),
    ("rootly-token", rf"\brootly_{HEX}{{64}}"),
)  # fmt: skip
"""Nothing else begins so."""

_SHORT: Table = (
    ("gitlab-token", r"\b(?:glpat|gldt|glptt|glrt|glrtr|glcbt|glft|glsoat|glimt|glagent|glwt|gloas|glffct)-(?:t\d_)?[0-9A-Za-z_=-]{20,300}(?:\.[0-9a-z]{2}\.[0-9a-z]{7,9})?"),
    ("crates-token", r"\bcio[A-Za-z0-9]{32}\b"),
    ("nuget-key", r"\boy2[a-z0-9]{43}\b"),
    ("artifactory-token", r"\bAKC[A-Za-z0-9]{10,100}\b|\bcmVmd[A-Za-z0-9]{59}"),
    ("artifactory-password", r"\bAP[0-9A-F][A-Za-z0-9]{20,80}\b"),
    ("buildkite-token", r"\bbk(?:ua|aj|ct|pt|se)?_[a-z0-9]{40}"),
    ("octopus-key", r"\bAPI-[A-Z0-9]{26}\b"),
    ("statsig-key", r"\b(?:secret|client|console)-[A-Za-z0-9]{43}\b"),
    ("deno-token", r"\bdd[opw]_[A-Za-z0-9]{36}"),
    ("intra42-secret", rf"\bs-s4t2(?:ud|af)-{HEX}{{64}}"),
    ("figma-token", r"\bfig[dopuhr]_[A-Za-z0-9_-]{40,64}"),
    ("jenkins-token", r"\b11[a-f0-9]{32}\b"),
    ("thunderstore-key", r"\btss_[A-Za-z0-9]{30,60}"),
    ("sanity-token", r"\bsk[A-Za-z0-9]{80,180}\b"),
)  # fmt: skip
"""Names of programs may begin so too."""

_LONG: Table = (
    ("github-app-token", r"\bghs_\d{1,10}_eyJ[A-Za-z0-9_-]{20}"),
    ("1password-token", r"\bops_eyJ[A-Za-z0-9+/]{60}"),
)

CODE = (
    *long_tokens(_LONG, BASE64 + "."),
    *tokens(_CHECKSUMMED, crc32_token),
    *tokens(_TELLING, varied),
    *tokens(_SHORT, distinct),
)
