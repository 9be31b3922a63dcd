"""Keys of those who serve models and what is built on them."""

from __future__ import annotations

from caisson.detect.checks.secrets import distinct, varied
from caisson.detect.rules.credentials.form import HEX, UUID, Table, tokens

_TELLING: Table = (
    ("anthropic-key", r"\bsk-ant-[a-z0-9]{2,12}-[A-Za-z0-9_-]{20,128}"),
    ("openrouter-key", rf"\bsk-or-v1-{HEX}{{64}}"),
    ("langfuse-key", rf"\b(?:sk|pk)-lf-{UUID}"),
    ("groq-key", r"\bgsk_[A-Za-z0-9]{48,56}"),
    ("xai-key", r"\bxai-[A-Za-z0-9_]{70,90}"),
    ("perplexity-key", r"\bpplx-[A-Za-z0-9]{40,64}"),
    ("replicate-token", r"\br8_[A-Za-z0-9]{37,40}"),
    ("together-key", r"\btgp_v1_[A-Za-z0-9_-]{43}"),
    ("cerebras-key", r"\bcsk-[a-z0-9]{48}"),
    ("nvidia-key", r"\bnvapi-[A-Za-z0-9_-]{60,70}"),
    ("llamaindex-key", r"\bllx-[A-Za-z0-9_-]{40,60}"),
    ("langsmith-key", rf"\blsv2_(?:pt|sk)_{HEX}{{32}}_{HEX}{{10}}|\bls__[a-f0-9]{{32}}"),
    ("pinecone-key", r"\bpcsk_[A-Za-z0-9_]{50,80}"),
    ("wandb-key", r"\bwandb_v1_[A-Za-z0-9_-]{40,90}"),
    ("jina-key", r"\bjina_[A-Za-z0-9_-]{50,70}"),
    ("runpod-key", r"\brpa_[A-Z0-9]{30,50}[a-z0-9]{0,8}"),
    ("firecrawl-key", rf"\bfc-{HEX}{{32}}"),
    ("e2b-key", rf"\be2b_{HEX}{{40}}"),
    ("databricks-token", rf"\bd(?:api|ose|kea|sap){HEX}{{32}}(?:-\d)?"),
    ("apify-token", r"\bapify_api_[A-Za-z0-9]{36}"),
    ("scrapfly-key", r"\bscp-(?:live|test)-[a-f0-9]{32}"),
    ("google-ephemeral-key", r"\bAQ\.Ab8[A-Za-z0-9_-]{40,60}"),
    ("cursor-key", rf"\bkey_{HEX}{{64}}"),
)  # fmt: skip
"""Nothing else begins so."""

_SHORT: Table = (
    ("openai-key", r"\bsk-(?:proj-|svcacct-|service-|admin-|None-)?[A-Za-z0-9_-]{20,200}"),
    ("huggingface-token", r"\b(?:hf_|api_org_)[A-Za-z0-9]{30,40}\b"),
    ("fireworks-key", r"\bfw_[A-Za-z0-9]{22,32}\b"),
    ("tavily-key", r"\btvly-(?:dev-|prod-)?[A-Za-z0-9-]{20,64}"),
    ("elevenlabs-key", rf"\bsk_{HEX}{{48}}"),
    ("voyage-key", r"\bpa-[A-Za-z0-9_-]{43}\b"),
    ("modal-key", r"\ba[ks]-[A-Za-z0-9]{22}\b"),
    ("friendli-baseten-key", r"\bflp_[A-Za-z0-9]{30,64}|\b[A-Za-z0-9]{8}\.[A-Za-z0-9]{32}\b",
     r"flp_[A-Za-z0-9]{30}|\.[A-Za-z0-9]{32}"),
    ("deepseek-key", rf"\bsk-{HEX}{{32}}\b"),
    ("promptlayer-key", rf"\bpl_{HEX}{{32}}"),
    ("roboflow-kaggle-token", r"\b(?:rf|KGAT)_[A-Za-z0-9]{20,40}\b"),
    ("retell-key", rf"\bkey_{HEX}{{28,32}}\b"),
    ("mem0-zep-key", r"\b(?:m0|z_1)[-.][A-Za-z0-9_.-]{40,160}"),
)  # fmt: skip

MODELS = (*tokens(_TELLING, varied), *tokens(_SHORT, distinct))
