"""Whatever values turn out to be, a policy allows no more than one of its readings and no less than the other."""

from __future__ import annotations

import copy
import json
import tempfile
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from caisson.assurance.iam.context import Context, Values
from caisson.assurance.iam.decision import Outcome, decide
from caisson.assurance.iam.document import Policy
from caisson.assurance.iam.principals import identity
from caisson.assurance.iam.request import Policies, Request
from caisson.assurance.identities.examination import Examination
from caisson.assurance.identities.holders import Holder, holders
from caisson.assurance.network.claims import Survey
from caisson.assurance.templates import read
from caisson.assurance.templates.source import decode
from caisson.errors import OperatorError
from foreign_templates import YAML, document, role, template
from network_templates import balancer, centrally_inspected, resource

Json = dict[str, Any]

ACTIONS = ["bedrock:InvokeModel", "s3:GetObject", "bedrock:*", "*"]
RESOURCES = ["*", "arn:aws:s3:::a/b", "arn:aws:s3:::a/*", "arn:aws:s3:::${aws:username}/b"]
WORDS = ["a", "b", "${aws:username}"]
TAG = "aws:PrincipalTag/Team"


def parts(plain: list[str], parameter: str) -> st.SearchStrategy[Any]:
    """A value, a parameter, or one that depends on a condition."""
    one = st.sampled_from([*plain, {"Ref": parameter}])
    chosen = st.tuples(one, st.sampled_from([{"Ref": "AWS::NoValue"}, plain[0]]))
    return st.one_of(one, chosen.map(lambda both: {"Fn::If": ["C", *both]}))


def lists(plain: list[str], parameter: str) -> st.SearchStrategy[Any]:
    return st.lists(parts(plain, parameter), min_size=1, max_size=2).filter(
        lambda found: not all(isinstance(one, dict) and "Fn::If" in one for one in found)
    )


@st.composite
def statements(draw: st.DrawFn) -> Json:
    made: Json = {"Effect": draw(st.sampled_from(["Allow", "Allow", "Deny", {"Ref": "E"}]))}
    made[draw(st.sampled_from(["Action", "Action", "NotAction"]))] = draw(lists(ACTIONS, "A"))
    made[draw(st.sampled_from(["Resource", "Resource", "NotResource"]))] = draw(lists(RESOURCES, "R"))
    tests = st.sampled_from(["StringEquals", "StringNotEquals", "StringLike", "StringEqualsIfExists"])
    operators = draw(st.lists(tests, max_size=2, unique=True))
    if operators:
        made["Condition"] = {operator: {TAG: draw(lists(WORDS, "W"))} for operator in operators}
    return made if draw(st.booleans()) else {"Fn::If": ["C", made, {"Ref": "AWS::NoValue"}]}


def of(documents: list[Json], values: Json) -> Holder:
    """The role with these statements, its parameters with these values or none."""
    parameters = {name: {"Type": "String"} | ({"Default": values[name]} if name in values else {}) for name in "AREWX"}
    made = template(App=role(*documents)) | {
        "Parameters": parameters, "Conditions": {"C": {"Fn::Equals": [{"Ref": "X"}, "yes"]}}
    }  # fmt: skip
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "a.json").write_text(json.dumps(made))
        return holders(read(Path(folder)))[0]


def outcome(policies: tuple[Policy, ...], request: Request) -> Outcome:
    return decide(request, Policies(identity=policies)).outcome


@settings(max_examples=250, deadline=None)
@given(
    documents=st.lists(statements(), min_size=1, max_size=3),
    values=st.fixed_dictionaries({
        "A": st.sampled_from(ACTIONS), "R": st.sampled_from(RESOURCES), "W": st.sampled_from(WORDS),
        "E": st.sampled_from(["Allow", "Deny"]), "X": st.sampled_from(["yes", "no"]),
    }),
    action=st.sampled_from(["bedrock:InvokeModel", "s3:GetObject", "s3:PutObject"]),
    resource=st.sampled_from(["arn:aws:s3:::a/b", "arn:aws:s3:::a/c", "arn:aws:s3:::b/b"]),
    tag=st.sampled_from([None, "a", "b"]),
)  # fmt: skip
def test_between_the_readings(documents: list[Json], values: Json, action: str, resource: str, tag: str | None) -> None:
    found, actual = of(documents, {}), of(documents, values)
    asking = identity("arn:aws:iam::222222222222:user/a")
    assert asking is not None
    said = {"aws:username": "a"} | ({} if tag is None else {TAG.lower(): tag})
    request = Request(
        principal=asking, action=action, resource=resource, resource_account="222222222222",
        context=Context({key: Values((value,), single=True) for key, value in said.items()}),
    )  # fmt: skip
    variable = any("variable" in doubt for doubt in actual.doubts)
    truly = outcome(actual.identity.most, request)
    if not variable:
        assert actual.identity.most == actual.identity.least and not actual.doubts
    if truly is Outcome.ALLOW and not variable:
        assert outcome(found.identity.most, request) is Outcome.ALLOW
    if outcome(found.identity.least, request) is Outcome.ALLOW:
        assert outcome(actual.identity.least, request) is Outcome.ALLOW
    if not found.doubts:
        assert found.identity.most == found.identity.least


def six_and_lists() -> Json:
    """Resources that the other templates of networks do not have."""
    vpc = {"Ref": "Vpc"}
    return {
        "List": resource("EC2::PrefixList", PrefixListName="l", AddressFamily="IPv4", MaxEntries=2,
                         Entries=[{"Cidr": "198.51.100.0/24"}]),
        "ToList": resource("EC2::Route", RouteTableId={"Ref": "EdgeTable"}, DestinationPrefixListId={"Ref": "List"},
                           NatGatewayId={"Ref": "Nat"}),
        "Acl": resource("EC2::NetworkAcl", VpcId=vpc),
        "Entry": resource("EC2::NetworkAclEntry", NetworkAclId={"Ref": "Acl"}, RuleNumber=1, Egress=True, Protocol=6,
                          RuleAction="allow", CidrBlock="0.0.0.0/0", PortRange={"From": 0, "To": 65535}),
        "OfAcl": resource("EC2::SubnetNetworkAclAssociation", SubnetId={"Ref": "Work"}, NetworkAclId={"Ref": "Acl"}),
        "In": resource("EC2::SecurityGroupIngress", GroupId={"Ref": "Group"}, IpProtocol="tcp", FromPort=1, ToPort=2,
                       SourceSecurityGroupId={"Ref": "BalancerGroup"}),
        "Db": resource("RDS::DBInstance", DBSubnetGroupName={"Ref": "DbSubnets"}),
        "DbSubnets": resource("RDS::DBSubnetGroup", SubnetIds=[{"Ref": "Work"}]),
        "Box": resource("EC2::Instance", SubnetId={"Ref": "Edge"}, SecurityGroupIds=[{"Ref": "Group"}]),
        "Api": resource("ApiGateway::RestApi", Name="x"),
        "Endpoint": resource("EC2::VPCEndpoint", VpcId=vpc, ServiceName="com.amazonaws.us-east-1.sqs",
                             VpcEndpointType="Interface", SubnetIds=[{"Ref": "Work"}]),
        "Block": resource("EC2::VPCBlockPublicAccessOptions", InternetGatewayBlockMode="block-ingress"),
        "But": resource("EC2::VPCBlockPublicAccessExclusion", InternetGatewayExclusionMode="allow-egress", VpcId=vpc),
        "More": resource("EC2::VPCCidrBlock", VpcId=vpc, CidrBlock="10.20.0.0/16"),
    }  # fmt: skip


JUNK = st.sampled_from([None, 1, True, "x", "*", [], {}, ["x"], {"Ref": "Stage"}, {"Ref": "AWS::AccountId"}, {"x": "y"},
                        {"Fn::GetAtt": ["Guard", "GuardrailArn"]}, document()])  # fmt: skip


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    found = [path] if path else []
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return found + [place for key, one in items for place in places(one, (*path, key))]


@settings(max_examples=250, deadline=None)
@given(data=st.data())
def test_odd_templates_end_in_an_answer(data: st.DataObject) -> None:
    """Whatever stands anywhere: verdicts, or an error with a place."""
    networked = {"Resources": {**centrally_inspected(), **balancer(), **six_and_lists()}}
    made = json.loads(json.dumps(data.draw(st.sampled_from([decode("a.yaml", YAML).value, networked]))))
    for _ in range(data.draw(st.integers(1, 2))):
        path = data.draw(st.sampled_from(places(made)))
        target = made
        for key in path[:-1]:
            target = target[key]
        target[path[-1]] = copy.deepcopy(data.draw(JUNK))
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "a.json").write_text(json.dumps(made))
        try:
            templates = read(Path(folder))
            assert list(Examination(templates).proofs())
            assert list(Survey(templates).proofs()) is not None
        except OperatorError as error:
            assert "a.json" in str(error)
