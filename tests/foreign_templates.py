"""Templates and policies of an organization as somebody who has never heard of Caisson would write them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

Json = dict[str, Any]

ACCOUNT = "222222222222"
GUARDRAIL = f"arn:aws:bedrock:eu-west-1:{ACCOUNT}:guardrail/abc123"
MODEL = "arn:aws:bedrock:*::foundation-model/anthropic.claude-3-5-sonnet-20240620-v1:0"
INVOKES = ["bedrock:InvokeModel", "bedrock:InvokeModelWithResponseStream"]


def document(*statements: Json) -> Json:
    return {"Version": "2012-10-17", "Statement": list(statements)}


def allow(actions: Any, resources: Any = "*", **conditions: Any) -> Json:
    made: Json = {"Effect": "Allow", "Action": actions, "Resource": resources}
    return made | ({"Condition": conditions} if conditions else {})


def deny(actions: Any, resources: Any = "*", **conditions: Any) -> Json:
    return allow(actions, resources, **conditions) | {"Effect": "Deny"}


def trust(*, service: Any = None, aws: Any = None, federated: Any = None) -> Json:
    given = {"Service": service, "AWS": aws, "Federated": federated}
    principal = {kind: one for kind, one in given.items() if one is not None}
    return document({"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"})


def role(*statements: Json, trusted: Json | None = None, **properties: Any) -> Json:
    policies = [{"PolicyName": "own", "PolicyDocument": document(*statements)}] if statements else []
    trusted = trusted or trust(service="lambda.amazonaws.com")
    return {
        "Type": "AWS::IAM::Role",
        "Properties": {"AssumeRolePolicyDocument": trusted, "Policies": policies, **properties},
    }


def pinned() -> Json:
    """An Allow as it should be."""
    return allow(INVOKES, MODEL, StringEquals={"bedrock:GuardrailIdentifier": f"{GUARDRAIL}:3"})


def template(**resources: Json) -> Json:
    return {"AWSTemplateFormatVersion": "2010-09-09", "Resources": resources}


def write(folder: Path, **files: Any) -> Path:
    """Files as JSON: `name` becomes `name.json`, `a__targets` `a.targets.json`."""
    folder.mkdir(exist_ok=True, parents=True)
    for name, content in files.items():
        (folder / f"{name.replace('__', '.')}.json").write_text(json.dumps(content))
    return folder


YAML = """\
AWSTemplateFormatVersion: "2010-09-09"
Description: An assistant behind a function, as a platform team writes it.
Parameters:
  Stage: {Type: String, Default: prod}
  ExtraModel: {Type: String, Default: ""}
Conditions:
  Production: !Equals [!Ref Stage, prod]
Resources:
  Guard:
    Type: AWS::Bedrock::Guardrail
    Properties: {Name: assistant, BlockedInputMessaging: "no", BlockedOutputsMessaging: "no"}
  GuardVersion:
    Type: AWS::Bedrock::GuardrailVersion
    Properties: {GuardrailIdentifier: !Ref Guard}
  Limits:
    Type: AWS::IAM::ManagedPolicy
    Properties:
      PolicyDocument:
        Version: "2012-10-17"
        Statement:
          - {Effect: Allow, Action: ["bedrock:Invoke*", "logs:*", "sts:AssumeRole"], Resource: "*"}
  Assistant:
    Type: AWS::IAM::Role
    Properties:
      PermissionsBoundary: !Ref Limits
      AssumeRolePolicyDocument:
        Version: "2012-10-17"
        Statement:
          - {Effect: Allow, Principal: {Service: !Sub "lambda.${AWS::URLSuffix}"}, Action: "sts:AssumeRole"}
      ManagedPolicyArns:
        - !Sub arn:${AWS::Partition}:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole
  Invoke:
    Type: AWS::IAM::Policy
    Properties:
      PolicyName: invoke
      Roles: [!Ref Assistant]
      PolicyDocument:
        Version: "2012-10-17"
        Statement:
          - Effect: Allow
            Action: ["bedrock:InvokeModel", "bedrock:InvokeModelWithResponseStream"]
            Resource: !Sub arn:${AWS::Partition}:bedrock:${AWS::Region}::foundation-model/anthropic.claude-3-5-sonnet-20240620-v1:0
            Condition:
              StringEquals:
                bedrock:GuardrailIdentifier: !Sub "${Guard.GuardrailArn}:${GuardVersion.Version}"
          - Effect: !If [Production, Deny, Allow]
            Action: bedrock:DeleteGuardrail
            Resource: !GetAtt Guard.GuardrailArn
"""  # noqa: E501
