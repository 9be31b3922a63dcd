"""Stock boto3 and langchain-aws embed through a running Caisson."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator

import pytest
from botocore.exceptions import ClientError
from langchain_aws import BedrockEmbeddings

from running_system import Running, start, system_file

TITAN, COHERE = "amazon.titan-embed-text-v2:0", "cohere.embed-multilingual-v3"


@pytest.fixture(scope="module")
def embedding(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    folder = tmp_path_factory.mktemp("embeddings")
    agents = {name: {"model": name, "guardrail": "main", "tasks": {"index": {}}} for name in ("titan", "cohere")}
    models = {"titan": {"id": TITAN}, "cohere": {"id": COHERE}}
    running = start(folder, system=system_file(folder, models=models, agents=agents))
    yield running
    running.stop()


def client(running: Running, agent: str = "titan"):
    return running.client(credentials=running.credentials(agent=agent, task="index"))


def test_boto3(embedding: Running) -> None:
    sent = json.dumps({"inputText": "Claims are reported within 30 days.", "dimensions": 512})
    answer = client(embedding).invoke_model(modelId=TITAN, body=sent)
    assert answer["ResponseMetadata"]["HTTPHeaders"]["x-caisson-upstream"] == "offline"
    found = json.loads(answer["body"].read())
    assert len(found["embedding"]) == 512 and math.isclose(math.hypot(*found["embedding"]), 1, rel_tol=1e-3)


@pytest.mark.parametrize(("agent", "model"), [("titan", TITAN), ("cohere", COHERE)])
def test_langchain(embedding: Running, agent: str, model: str) -> None:
    embeddings = BedrockEmbeddings(model_id=model, client=client(embedding, agent))
    documents = embeddings.embed_documents(["Paying an invoice", "The cat sleeps"])
    query = embeddings.embed_query("How do I pay my bill?")
    invoice, cat = (sum(a * b for a, b in zip(query, each, strict=True)) for each in documents)
    assert invoice > cat


def test_what_the_guardrail_stops_is_not_embedded_and_on_record(embedding: Running) -> None:
    with pytest.raises(ClientError) as caught:
        client(embedding).invoke_model(modelId=TITAN, body=json.dumps({"inputText": "about project-falcon"}))
    error = caught.value.response
    assert error["Error"]["Code"] == "ValidationException" and "guardrail" in error["Error"]["Message"]
    (event,) = [
        one
        for one in embedding.events(
            "--request", error["ResponseMetadata"]["RequestId"], until=lambda found: any("outcome" in e for e in found)
        )
        if "outcome" in one
    ]
    assert event["outcome"] == "refused" and event["guardrail_actions"]


def test_a_stream_of_an_embedding_is_refused(embedding: Running) -> None:
    with pytest.raises(ClientError) as caught:
        client(embedding).invoke_model_with_response_stream(modelId=TITAN, body=json.dumps({"inputText": "hi"}))
    assert "no stream carries" in caught.value.response["Error"]["Message"]


def test_personal_data_is_masked_before_it_is_embedded(embedding: Running) -> None:
    sent = json.dumps({"texts": ["write to bob@example.org"], "input_type": "search_document"})
    found = json.loads(client(embedding, "cohere").invoke_model(modelId=COHERE, body=sent)["body"].read())
    assert "bob@example.org" not in found["texts"][0] and found["texts"][0].startswith("write to ")
