"""Reading templates: what resolves, what stays a symbol, and what is refused with its place."""

from __future__ import annotations

import doctest
import importlib
import json
import pkgutil
from pathlib import Path
from typing import Any

import pytest

from caisson.assurance import templates
from caisson.assurance.templates import (
    Applied,
    Choice,
    External,
    Parameter,
    Reference,
    TemplateError,
    Templates,
    Unknown,
    boolean,
    integer,
    placeholder,
    read,
)
from caisson.assurance.templates.identity import IDENTITIES
from caisson.deploy.output import write
from caisson.errors import OperatorError
from deployments import deployed

TOPIC = {"Type": "AWS::SNS::Topic"}


def folder(path: Path, **files: Any) -> Templates:
    for name, content in files.items():
        stem, _, ending = name.rpartition("_")
        written = content if isinstance(content, str) else json.dumps(content)
        (path / f"{stem}.{ending}").write_text(written)
    return read(path)


def one(path: Path, properties: Any, **sections: Any) -> Any:
    """The properties of resource `R`, resolved."""
    template = {"Resources": {"R": {"Type": "Custom::R", "Properties": properties}, "T": TOPIC}, **sections}
    return folder(path, a_json=template).stack("a.json").resources["R"].properties


def refused(path: Path, **files: Any) -> str:
    with pytest.raises(TemplateError) as caught:
        folder(path, **files)
    return str(caught.value)


def resources(**found: Any) -> dict[str, Any]:
    return {"Resources": {name: {"Type": "AWS::S3::Bucket", **value} for name, value in found.items()}}


# -- our own example --------------------------------------------------------------------------------------------------


def test_nothing_of_our_example_is_unresolved_but_what_no_stack_makes(tmp_path: Path) -> None:
    made = deployed("example")
    write(tmp_path / "out", made.files, made.manifest)
    found = read(tmp_path / "out")
    assert found.problems == () and found.assumptions == ()
    left = {
        symbol.parameter if isinstance(symbol, Parameter) else symbol.name
        for _, symbol in found.unresolved()
        # which zones there are, only AWS knows; and a firewall names its endpoint as ZONE:ENDPOINT
        if "Fn::GetAZs" not in symbol.name and "EndpointIds" not in symbol.name
    }
    waiting = {
        parameter["name"]
        for stack in made.manifest["stacks"]
        for parameter in stack["parameters"]
        if parameter["output_of"] is None
    }
    assert left == waiting
    assert {stack.account for stack in found.stacks} == {stack["account"] for stack in made.manifest["stacks"]}
    in_files = sum(len(json.loads(text)["Resources"]) for name, text in made.files.items() if name.startswith("temp"))
    assert sum(1 for _ in found.resources()) == in_files


def test_an_output_fills_in_the_parameter_that_the_manifest_names(tmp_path: Path) -> None:
    made = deployed("example")
    write(tmp_path / "out", made.files, made.manifest)
    found = read(tmp_path / "out")
    guardrails = next(stack for stack in found.stacks if stack.key.endswith("guardrails"))
    pinned = guardrails.outputs["GuardrailMain"]
    assert placeholder(pinned) is not None
    policies = json.dumps(
        [placeholder_all(policy.properties["Content"]) for policy in found.resources("AWS::Organizations::Policy")]
    )
    assert str(placeholder(pinned)) in policies


def placeholder_all(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: placeholder_all(one) for key, one in value.items()}
    if isinstance(value, list):
        return [placeholder_all(one) for one in value]
    return placeholder(value)


def test_a_template_that_the_manifest_does_not_name_is_a_problem(tmp_path: Path) -> None:
    made = deployed("example")
    write(tmp_path / "out", made.files, made.manifest)
    (tmp_path / "out/templates/more.json").write_text(json.dumps({"Resources": {"T": TOPIC}}))
    assert any(problem.place.file == "templates/more.json" for problem in read(tmp_path / "out").problems)


# -- what resolves ----------------------------------------------------------------------------------------------------


def test_yaml_and_json_are_read_alike(tmp_path: Path) -> None:
    as_yaml = """
Parameters:
  Stage: {Type: String, Default: dev}
Conditions:
  Dev: !Equals [!Ref Stage, dev]
Mappings:
  M: {dev: {Size: 3}}
Resources:
  R:
    Type: Custom::R
    Properties:
      Sub: !Sub "${Stage}-${AWS::Region}-${!Kept}"
      Own: !Sub ["${x}${T.TopicName}", {x: !Ref Stage}]
      Get: !GetAtt T.TopicArn
      List: !Split [",", "a,b"]
      If: !If [Dev, yes, no]
      Gone: !If [Dev, !Ref AWS::NoValue, 1]
      Map: !FindInMap [M, !Ref Stage, Size]
      Join: !Join ["-", [a, !Select [1, [b, c]]]]
      Number: 012345678901
  T: {Type: AWS::SNS::Topic}
"""
    as_json = {
        "Parameters": {"Stage": {"Type": "String", "Default": "dev"}},
        "Conditions": {"Dev": {"Fn::Equals": [{"Ref": "Stage"}, "dev"]}},
        "Mappings": {"M": {"dev": {"Size": 3}}},
        "Resources": {
            "R": {
                "Type": "Custom::R",
                "Properties": {
                    "Sub": {"Fn::Sub": "${Stage}-${AWS::Region}-${!Kept}"},
                    "Own": {"Fn::Sub": ["${x}${T.TopicName}", {"x": {"Ref": "Stage"}}]},
                    "Get": {"Fn::GetAtt": ["T", "TopicArn"]},
                    "List": {"Fn::Split": [",", "a,b"]},
                    "If": {"Fn::If": ["Dev", True, False]},
                    "Gone": {"Fn::If": ["Dev", {"Ref": "AWS::NoValue"}, 1]},
                    "Map": {"Fn::FindInMap": ["M", {"Ref": "Stage"}, "Size"]},
                    "Join": {"Fn::Join": ["-", ["a", {"Fn::Select": [1, ["b", "c"]]}]]},
                    "Number": "012345678901",
                },
            },
            "T": TOPIC,
        },
    }
    (tmp_path / "yaml").mkdir()
    (tmp_path / "json").mkdir()
    left = folder(tmp_path / "yaml", a_yaml=as_yaml).stack("a.yaml").resources["R"].properties
    right = folder(tmp_path / "json", a_json=as_json).stack("a.json").resources["R"].properties
    names = {key: str(value).replace("a.yaml", "a.json") for key, value in left.items()}
    assert names == {key: str(value) for key, value in right.items()}
    assert left["If"] is True and "Gone" not in left and integer(left["Map"]) == 3 and left["Join"] == "a-c"
    assert left["Number"] == "012345678901" and left["List"] == ["a", "b"]


def test_names_are_told_from_properties_and_known_references_are_text(tmp_path: Path) -> None:
    manifest = {
        "version": "55.0.0",
        "artifacts": {
            "S": {
                "type": "aws:cloudformation:stack",
                "environment": "aws://111122223333/eu-west-1",
                "properties": {"templateFile": "S.template.json", "stackName": "shop"},
            },
            "Tree": {"type": "cdk:tree", "properties": {"file": "tree.json"}},
        },
    }
    template = {
        "Resources": {
            "Q": {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": {"Fn::Sub": "${AWS::StackName}-q"}}},
            "Role": {"Type": "AWS::IAM::Role", "Properties": {"RoleName": "r", "Path": "/x/"}},
            "Made": {"Type": "AWS::IAM::Role", "Properties": {}},
            "B": {"Type": "AWS::S3::Bucket"},
        },
        "Outputs": {
            "Arn": {"Value": {"Fn::GetAtt": ["Q", "Arn"]}},
            "Url": {"Value": {"Ref": "Q"}},
            "Role": {"Value": {"Fn::GetAtt": ["Role", "Arn"]}},
            "Made": {"Value": {"Fn::GetAtt": ["Made", "Arn"]}},
            "Account": {"Value": {"Fn::Select": [4, {"Fn::Split": [":", {"Fn::GetAtt": ["Made", "Arn"]}]}]}},
            "Name": {"Value": {"Fn::Select": [5, {"Fn::Split": [":", {"Fn::GetAtt": ["Made", "Arn"]}]}]}},
            "Get": {"Value": {"Fn::GetAtt": ["B", "Arn"]}},
            "Sub": {"Value": {"Fn::Sub": "arn:${AWS::Partition}:s3:::${B}"}},
        },
    }
    found = folder(tmp_path, manifest_json=manifest, **{"S.template_json": template})
    out = found.stack("S").outputs
    assert out["Arn"] == "arn:aws:sqs:eu-west-1:111122223333:shop-q"
    assert out["Url"] == "https://sqs.eu-west-1.amazonaws.com/111122223333/shop-q"
    assert out["Role"] == "arn:aws:iam::111122223333:role/x/r"
    assert out["Account"] == "111122223333"
    assert str(out["Name"]) == "role/<S/Made>"
    assert out["Get"] == out["Sub"] != out["Made"]
    assert found.find(out["Get"]).id == "B" and found.find(placeholder(out["Made"])).id == "Made"  # type: ignore[union-attr]


def test_placeholders_have_the_form_of_their_type_and_differ(tmp_path: Path) -> None:
    types = sorted(IDENTITIES)
    template = {
        "Resources": {f"{side}{at}": {"Type": type_} for at, type_ in enumerate(types) for side in "AB"},
    }
    found = folder(tmp_path, a_json=template)
    texts: dict[str, str] = {}
    for resource in found.resources():
        written = placeholder(resource.ref)
        if written is not None:
            assert texts.setdefault(written, resource.name) == resource.name
        if (arn := placeholder(resource.arn)) is not None:
            parts = arn.split(":", 5)
            assert parts[0] == "arn" and parts[1] == "aws" and parts[2] and parts[5] and "<" not in arn
    group = found.stack("a.json").resources[f"A{types.index('AWS::EC2::SecurityGroup')}"]
    assert str(placeholder(group.ref)).startswith("sg-") and len(str(placeholder(group.ref))) == 20
    assert len(texts) > len(types)


def test_exports_are_imported_where_account_and_region_agree(tmp_path: Path) -> None:
    exporter = {
        "Resources": {"T": TOPIC},
        "Outputs": {"Out": {"Value": {"Ref": "T"}, "Export": {"Name": {"Fn::Sub": "${AWS::Region}-topic"}}}},
    }
    importer = {
        "Resources": {
            "R": {
                "Type": "Custom::R",
                "Properties": {
                    "Here": {"Fn::ImportValue": {"Fn::Sub": "${AWS::Region}-topic"}},
                    "Not": {"Fn::ImportValue": "elsewhere"},
                },
            }
        }
    }
    found = folder(tmp_path, a_json=exporter, b_json=importer)
    properties = found.stack("b.json").resources["R"].properties
    assert properties["Here"] == found.stack("a.json").resources["T"].ref
    assert isinstance(properties["Not"], External)


def test_nested_stacks_take_parameters_and_give_outputs(tmp_path: Path) -> None:
    inner = {
        "Parameters": {"Name": {"Type": "String"}},
        "Resources": {"Q": {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": {"Ref": "Name"}}}},
        "Outputs": {"Name": {"Value": {"Fn::GetAtt": ["Q", "QueueName"]}}},
    }
    outer = {
        "Resources": {
            "N": {
                "Type": "AWS::CloudFormation::Stack",
                "Properties": {"TemplateURL": "./inner.template.json", "Parameters": {"Name": "given"}},
            },
            "R": {"Type": "Custom::R", "Properties": {"V": {"Fn::GetAtt": ["N", "Outputs.Name"]}}},
            "Lost": {"Type": "AWS::CloudFormation::Stack", "Properties": {"TemplateURL": "https://s3/x.json"}},
        }
    }
    manifest = {
        "version": "1",
        "artifacts": {
            "S": {
                "type": "aws:cloudformation:stack",
                "environment": "aws://unknown-account/unknown-region",
                "properties": {"templateFile": "S.template.json"},
            }
        },
    }
    files = {"S.template_json": outer, "inner.template_json": inner, "manifest_json": manifest}
    found = folder(tmp_path, **files)
    assert found.stack("S").resources["R"].properties["V"] == "given"
    assert found.stack("S/N").resources["Q"].type == "AWS::SQS::Queue"
    assert [problem.place.pointer for problem in found.problems] == ["/Resources/Lost"]


def test_conditions_take_away_resources_and_undecided_ones_are_told(tmp_path: Path) -> None:
    template = {
        "Parameters": {"P": {"Type": "String"}, "D": {"Type": "String", "Default": "x"}},
        "Conditions": {
            "No": {"Fn::Equals": [{"Ref": "D"}, "y"]},
            "Open": {"Fn::Equals": [{"Ref": "P"}, "y"]},
            "Same": {"Fn::Equals": [{"Ref": "P"}, {"Ref": "P"}]},
            "Or": {"Fn::Or": [{"Condition": "Open"}, {"Condition": "Same"}]},
        },
        "Resources": {
            "A": {**TOPIC, "Condition": "No"},
            "B": {**TOPIC, "Condition": "Open"},
            "C": {**TOPIC, "Condition": "Or"},
            "R": {"Type": "Custom::R", "Properties": {"V": {"Fn::If": ["Open", "a", "b"]}}},
        },
    }
    found = folder(tmp_path, a_json=template)
    held = found.stack("a.json").resources
    assert set(held) == {"B", "C", "R"}
    assert held["B"].condition == "a.json/Open" and held["C"].condition == ""
    choice = held["R"].properties["V"]
    assert isinstance(choice, Choice) and (choice.yes, choice.no) == ("a", "b")
    assert [one.place.pointer for one in found.assumptions] == ["", "/Parameters/D"]


def test_what_only_aws_knows_stays_a_symbol(tmp_path: Path) -> None:
    found = one(
        tmp_path,
        {
            "Zone": {"Fn::Select": [0, {"Fn::GetAZs": ""}]},
            "Other": {"Fn::Select": [1, {"Fn::GetAZs": ""}]},
            "Same": {"Fn::Select": ["0", {"Fn::GetAZs": {"Ref": "AWS::Region"}}]},
            "Secret": "{{resolve:secretsmanager:x:SecretString:y}}",
            "Url": "https://{{resolve:ssm:host}}/",
            "Attribute": {"Fn::GetAtt": ["T", "Something"]},
        },
    )
    assert isinstance(found["Zone"], Applied) and found["Zone"] == found["Same"] != found["Other"]
    assert isinstance(found["Secret"], External) and str(found["Url"]) == "https://<{{resolve:ssm:host}}>/"
    assert isinstance(found["Attribute"], Reference)


def test_what_is_not_known_is_a_problem_with_its_place(tmp_path: Path) -> None:
    template = """
Transform: AWS::Serverless-2016-10-31
Resources:
  R:
    Type: Custom::R
    Properties:
      A: {"Fn::Transform": {Name: Mine}}
      B: {Ref: R2, Other: 1}
      C: 0777
      D: !GetAtt R3.Arn
  R2: {Type: AWS::SNS::Topic}
  R3: {Type: AWS::SQS::Queue, Condition: Never}
Conditions:
  Never: !Equals [a, b]
"""
    found = folder(tmp_path, a_yaml=template)
    properties = found.stack("a.yaml").resources["R"].properties
    assert all(isinstance(properties[key], Unknown) for key in "ABCD")
    assert {(problem.place.pointer, problem.place.line) for problem in found.problems} == {
        ("/Transform", 2),
        ("/Resources/R/Properties/A/Fn::Transform", 7),
        ("/Resources/R/Properties/B/Ref", 8),
        ("/Resources/R/Properties/C", 9),
        ("/Resources/R/Properties/D/Fn::GetAtt", 10),
    }


# -- what is refused --------------------------------------------------------------------------------------------------

BAD = {
    "twice in JSON": ('{"Resources": {"A": {"Type": "X", "Type": "Y"}}}', "/Resources/A/Type: expected each key once"),
    "not JSON": ('{"Resources": {', "expected JSON"),
    "no object": ("[1]", "expected a template"),
    "unknown section": ({**resources(A={}), "Resource": {}}, "/Resource: expected AWSTemplateFormatVersion"),
    "unknown attribute": (resources(A={"Propertys": {}}), "/Resources/A/Propertys: expected Condition"),
    "no type": ({"Resources": {"A": {"Properties": {}}}}, "/Resources/A: expected a resource with a Type"),
    "nothing": ({"Resources": {}}, "/Resources: expected resources"),
    "reference to nothing": (
        resources(A={"Properties": {"BucketName": {"Ref": "B"}}}),
        "/Resources/A/Properties/BucketName/Ref: expected a parameter, a resource or a pseudo parameter, found 'B'",
    ),
    "attribute of nothing": (resources(A={"Properties": {"N": {"Fn::GetAtt": ["B", "Arn"]}}}), "found 'B'"),
    "condition of nothing": (resources(A={"Condition": "C"}), "/Resources/A/Condition: expected a condition"),
    "cycle": (
        resources(A={"Properties": {"N": {"Ref": "B"}}}, B={"Properties": {"N": {"Fn::Sub": "${A}"}}}),
        "/Resources/A: expected no cycle, found A → B → A",
    ),
    "cycle by DependsOn": (resources(A={"DependsOn": ["B"]}, B={"DependsOn": "A"}), "found A → B → A"),
    "cycle of conditions": (
        {
            **resources(A={}),
            "Conditions": {"X": {"Fn::Not": [{"Condition": "Y"}]}, "Y": {"Fn::Not": [{"Condition": "X"}]}},
        },
        "/Conditions/X: expected no cycle, found X → Y → X",
    ),
    "index": (resources(A={"Properties": {"N": {"Fn::Select": [2, ["a"]]}}}), "Fn::Select: expected an index below 1"),
    "map": (
        {**resources(A={"Properties": {"N": {"Fn::FindInMap": ["M", "a", "b"]}}}), "Mappings": {"M": {}}},
        "expected an entry of Mappings",
    ),
    "object in text": (resources(A={"Properties": {"N": {"Fn::Join": ["", [{}]]}}}), "expected text to join"),
    "parameter without type": ({**resources(A={}), "Parameters": {"P": {}}}, "/Parameters/P: expected a parameter"),
    "output without value": ({**resources(A={}), "Outputs": {"O": {}}}, "/Outputs/O: expected an output"),
}


@pytest.mark.parametrize("name", BAD)
def test_a_template_that_cannot_be_is_refused_with_its_place(name: str, tmp_path: Path) -> None:
    written, message = BAD[name]
    if name == "no object":
        found = folder(tmp_path, a_json=written, b_json=resources(A={}))
        assert [message in str(problem) for problem in found.problems] == [True]
    else:
        said = refused(tmp_path, a_json=written)
        assert said.startswith("a.json: ") and message in said


BAD_YAML = {
    "twice": ("Resources:\n  A: {Type: X}\n  A: {Type: Y}\n", "a.yaml:3: /Resources/A: expected each key once"),
    "alias": ("Resources: &x\n  A: {Type: X}\nOutputs: *x\n", "a.yaml:1: /Resources: expected no anchors"),
    "merge": ("Resources:\n  <<: {A: {Type: X}}\n", "a.yaml:2: /Resources: expected no merge key"),
    "tag": ("Resources:\n  A: {Type: !Python x}\n", "a.yaml:2: /Resources/A/Type: expected a function"),
    "language tag": (
        "Resources:\n  A: {Type: !!python/object x}\n",
        "a.yaml:2: /Resources/A/Type: expected a function",
    ),
    "two documents": ("Resources: {A: {Type: X}}\n---\nResources: {}\n", "a.yaml:2: /: expected one document"),
    "syntax": ("Resources: {A: [}\n", "a.yaml:1: /: expected YAML"),
    "deep": ("Resources: " + "[" * 70 + "]" * 70, "expected at most 60 levels"),
}


@pytest.mark.parametrize("name", BAD_YAML)
def test_yaml_that_cannot_be_is_refused_with_its_line(name: str, tmp_path: Path) -> None:
    written, message = BAD_YAML[name]
    assert message in refused(tmp_path, a_yaml=written)


def test_every_problem_is_told_at_once(tmp_path: Path) -> None:
    said = refused(tmp_path, a_json=resources(A={"X": 1}, B={"Y": 1}), b_yaml="Resources: [")
    assert len(said.splitlines()) == 3


def test_names_that_name_themselves_and_texts_without_end_are_refused(tmp_path: Path) -> None:
    doubling: dict[str, Any] = {"N0": {"Properties": {"BucketName": "x" * 100}}}
    for at in range(1, 40):
        doubling[f"N{at}"] = {"Properties": {"BucketName": {"Fn::Sub": f"${{N{at - 1}}}${{N{at - 1}}}"}}}
    assert "expected at most 200,000 characters" in refused(tmp_path, a_json=resources(**doubling))


def test_exports_that_import_each_other_are_a_cycle(tmp_path: Path) -> None:
    def stack(mine: str, theirs: str) -> dict[str, Any]:
        output = {"Value": {"Fn::ImportValue": theirs}, "Export": {"Name": mine}}
        return {**resources(A={}), "Outputs": {"O": output}}

    assert "expected no cycle" in refused(tmp_path, a_json=stack("a", "b"), b_json=stack("b", "a"))


def test_nothing_outside_of_the_folder_is_read(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "out.json").write_text(json.dumps(resources(A={})))
    manifest = {
        "version": "1",
        "artifacts": {
            "S": {
                "type": "aws:cloudformation:stack",
                "environment": "aws://1/2",
                "properties": {"templateFile": "../out.json"},
            }
        },
    }
    assert "expected a file of the folder" in refused(tmp_path / "in", manifest_json=manifest)


def test_a_folder_without_anything_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(OperatorError, match="found none"):
        read(tmp_path)
    with pytest.raises(OperatorError, match="found none"):
        read(tmp_path / "missing")


# -- policies of an organization --------------------------------------------------------------------------------------


def test_policies_are_told_apart_and_know_their_targets(tmp_path: Path) -> None:
    deny = {"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Action": "*", "Resource": "*"}]}
    everyone = {"Version": "2012-10-17", "Statement": {**deny["Statement"][0], "Principal": "*"}}  # type: ignore[dict-item]
    described = {"Policy": {"PolicySummary": {"Name": "p", "Type": "TAG_POLICY"}, "Content": '{"tags": {}}'}}
    targets = {"Targets": [{"TargetId": "ou-1", "Type": "ORGANIZATIONAL_UNIT"}]}
    found = folder(
        tmp_path, a_json=deny, b_json=everyone, c_json=described, d_json={"bedrock": {}}, **{"a.targets_json": targets}
    )
    assert [(one.name, one.kind, one.targets) for one in found.policies] == [
        ("a", "SERVICE_CONTROL_POLICY", ("ou-1",)),
        ("b", "RESOURCE_CONTROL_POLICY", None),
        ("p", "TAG_POLICY", None),
        ("d", "BEDROCK_POLICY", None),
    ]
    assert {problem.place.file for problem in found.problems} == {"b.json", "c.json", "d.json"}
    assert "expected Id, Statement, Version, found 'Statements'" in refused(tmp_path, a_json={**deny, "Statements": []})


def test_coercion() -> None:
    assert (boolean("true"), boolean(False), boolean("x"), integer("-1"), integer("x")) == (True, False, None, -1, None)


@pytest.mark.parametrize("name", [one.name for one in pkgutil.iter_modules(templates.__path__)])
def test_examples_in_the_code_are_so(name: str) -> None:
    module = importlib.import_module(f"caisson.assurance.templates.{name}")
    assert doctest.testmod(module).failed == 0
