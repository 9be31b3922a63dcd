"""Reads a folder of templates whole: stacks with resolved resources, policies, and what is not known."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from caisson.assurance.iam.place import step
from caisson.assurance.templates import cycles
from caisson.assurance.templates.folder import Deployed, Folder, survey
from caisson.assurance.templates.model import Resource, Stack, Templates
from caisson.assurance.templates.organization import policies
from caisson.assurance.templates.place import Flaw, Place, Problem, TemplateError
from caisson.assurance.templates.pseudo import unknown
from caisson.assurance.templates.resolver import NESTED, Scope, pairs
from caisson.assurance.templates.source import Source
from caisson.assurance.templates.values import External, Value, key_of

SECTIONS = frozenset(
    {
        "AWSTemplateFormatVersion", "Conditions", "Description", "Hooks", "Mappings", "Metadata", "Outputs",
        "Parameters", "Resources", "Rules", "Transform",
    }
)  # fmt: skip
"""CloudFormation user guide, template-anatomy."""
ATTRIBUTES = frozenset(
    {
        "Condition", "CreationPolicy", "DeletionPolicy", "DependsOn", "Metadata", "Properties", "Type", "UpdatePolicy",
        "UpdateReplacePolicy",
    }
)  # fmt: skip
"""CloudFormation user guide, aws-product-attribute-reference."""
EXTENSIONS = "AWS::LanguageExtensions"
"""The one transform that is known here, without its loops."""
STACKS_MAX = 500
"""Most stacks, nested ones too."""


def read(folder: Path) -> Templates:
    """Read a folder that `caisson synth` or CDK wrote, or any folder of templates and policies.

    Raises:
        OperatorError: there is nothing to read.
        TemplateError: a file cannot be read, or CloudFormation would refuse it; every problem with its place.
    """
    found = survey(folder)
    world = _World(folder=found, flaws=list(found.flaws), problems=dict.fromkeys(found.problems))
    stacks: tuple[Stack, ...] = ()
    try:
        for one in found.deployed:
            world.add(one)
        stacks = world.stacks()
    except Flaw as flaw:
        world.flaws.append(flaw.problem)
    except RecursionError:
        place = Place(file=".")
        world.flaws.append(Problem(place=place, message="expected references of sensible depth, found too many"))
    organization = policies(found.policies, world.flaws, world.problem)
    world.unused()
    if world.flaws:
        raise TemplateError(dict.fromkeys(world.flaws))
    return Templates(
        stacks=stacks, policies=organization, problems=tuple(world.problems), assumptions=tuple(world.assumptions),
        digests=dict(sorted(found.digests.items())),
    )  # fmt: skip


@dataclass(kw_only=True)
class _World:
    """All stacks while they are resolved."""

    folder: Folder
    flaws: list[Problem]
    problems: dict[Problem, None]
    assumptions: dict[Problem, None] = field(default_factory=dict)
    scopes: dict[str, Scope] = field(default_factory=dict)
    children: dict[tuple[str, str], Scope | None] = field(default_factory=dict)
    used: set[str] = field(default_factory=set)
    exports: dict[tuple[str, str, str], tuple[Scope, str]] = field(default_factory=dict)
    """Account, region and name of an export to who has it; filled before resources are resolved."""

    def problem(self, place: Place, message: str) -> None:
        self.problems[Problem(place=place, message=message)] = None

    def assumption(self, place: Place, message: str) -> None:
        self.assumptions[Problem(place=place, message=message)] = None

    # -- stacks -------------------------------------------------------------------------------------------------------

    def add(self, deployed: Deployed) -> None:
        """A stack of the folder."""
        place = deployed.source.place()
        common = "the folder"
        if not deployed.account or not deployed.region:
            self.assumption(place, "its account or region is not said: all such stacks are taken to share them")
        scope = Scope(
            world=self,
            key=deployed.key,
            name=deployed.name or unknown("AWS::StackName", deployed.key, place),
            source=deployed.source,
            account=deployed.account or unknown("AWS::AccountId", common, place),
            region=deployed.region or unknown("AWS::Region", common, place),
            given=self._given(deployed),
        )
        self._keep(scope)

    def _keep(self, scope: Scope) -> None:
        self.used.add(scope.source.file)
        if len(self.scopes) >= STACKS_MAX:
            raise Flaw(scope.source.place(), f"expected at most {STACKS_MAX} stacks, found more")
        self.scopes[scope.key] = scope
        self._anatomy(scope)
        for id_, written in pairs(scope):
            if written.get("Type") == NESTED:
                self._nest(scope, id_, written)

    def _given(self, deployed: Deployed) -> dict[str, Callable[[], Value]]:
        given: dict[str, Callable[[], Value]] = {}
        for name, value in deployed.parameters.items():
            given[name] = lambda value=value: value  # type: ignore[misc]
        for name, stack in deployed.outputs_of.items():
            given[name] = lambda name=name, stack=stack: self._output_of(deployed, name, stack)  # type: ignore[misc]
        return given

    def _output_of(self, deployed: Deployed, name: str, stack: str) -> Value:
        place = deployed.source.place(step("/Parameters", name))
        if stack not in self.scopes:
            raise Flaw(place, f"expected the output of a stack of the manifest, found {stack!r}")
        return self.scopes[stack].output(name, place)

    def nested(self, scope: Scope, id_: str) -> Scope | None:
        """The stack of a nested stack; None where its template is not there."""
        return self.children.get((scope.key, id_))

    def _nest(self, parent: Scope, id_: str, written: dict[str, Any]) -> None:
        place = parent.source.place(step("/Resources", id_))
        file = self._file_of(parent, written)
        self.children[parent.key, id_] = None
        if file is None:
            self.problem(place, "the template of this nested stack is not in the folder")
            return
        key = f"{parent.key}/{id_}"
        if key.count("/") > 12:
            raise Flaw(place, "expected nested stacks of sensible depth, found more")
        properties = written.get("Properties")
        parameters = properties.get("Parameters", {}) if isinstance(properties, dict) else {}
        at = step(step(step("/Resources", id_), "Properties"), "Parameters")
        given = {
            name: (lambda value=value, name=name: parent.resolve(value, step(at, name)))
            for name, value in (parameters.items() if isinstance(parameters, dict) else ())
        }
        child = Scope(
            world=self, key=key, name=unknown("AWS::StackName", key, place), source=self.folder.source(file),
            account=parent.account, region=parent.region, given=given,
        )  # fmt: skip
        self.children[parent.key, id_] = child
        self._keep(child)

    def _file_of(self, parent: Scope, written: dict[str, Any]) -> str | None:
        """The file of a nested stack's template: where CDK says it in the metadata, or a path in the folder."""
        metadata, properties = written.get("Metadata"), written.get("Properties")
        named = [
            metadata.get("aws:asset:path") if isinstance(metadata, dict) else None,
            properties.get("TemplateURL") if isinstance(properties, dict) else None,
        ]
        beside = Path(parent.source.file).parent
        for one in named:
            if isinstance(one, str) and ":" not in one:
                try:
                    file = str((self.folder.root / beside / one).resolve().relative_to(self.folder.root.resolve()))
                except ValueError:
                    continue
                if file in self.folder.sources:
                    return file
        return None

    def unused(self) -> None:
        """Templates that no stack deploys."""
        for file in self.folder.sources:
            if file not in self.used:
                self.problem(Place(file=file), "no stack deploys this template")

    # -- anatomy ------------------------------------------------------------------------------------------------------

    def _anatomy(self, scope: Scope) -> None:
        """What a template may say at its top, and its cycles."""
        value, source = scope.source.value, scope.source
        if not isinstance(value, dict):
            raise Flaw(source.place(), "expected a template, found no object")
        for key in value:
            if key not in SECTIONS:
                self.flaws.append(_problem(source, step("", key), f"expected {_listed(SECTIONS)}, found {key!r}"))
        if not isinstance(value.get("Resources"), dict) or not value["Resources"]:
            self.flaws.append(_problem(source, "/Resources", "expected resources, found none"))
        for section in ("Parameters", "Mappings", "Conditions", "Outputs", "Rules"):
            if section in value and not isinstance(value[section], dict):
                self.flaws.append(_problem(source, step("", section), "expected an object, found something else"))
        transforms = value.get("Transform", [])
        for name in transforms if isinstance(transforms, list) else [transforms]:
            if name != EXTENSIONS:
                self.problem(source.place("/Transform"), f"{key_of(name)} changes the template before it is deployed")
        for found in (
            cycles.of_resources(scope.section("Resources")),
            cycles.of_conditions(scope.section("Conditions")),
        ):
            if found:
                section = "/Resources" if found[0] in scope.section("Resources") else "/Conditions"
                message = f"expected no cycle, found {' → '.join(found)}"
                self.flaws.append(_problem(source, step(section, found[0]), message))

    # -- what stacks say to each other --------------------------------------------------------------------------------

    def imported(self, name: Value, scope: Scope, place: Place) -> Value:
        where = (key_of(scope.account), key_of(scope.region), key_of(name))
        if where in self.exports:
            exporter, output = self.exports[where]
            return exporter.output(output, place)
        return External(name=f"export {key_of(name)} in {where[0]} {where[1]}", place=place)

    def _export(self, scope: Scope) -> None:
        for name, output in scope.section("Outputs").items():
            pointer = step("/Outputs", name)
            if not isinstance(output, dict) or "Value" not in output:
                self.flaws.append(_problem(scope.source, pointer, "expected an output with a Value, found none"))
                continue
            if not self._applies(scope, output, pointer) or not isinstance(output.get("Export"), dict):
                continue
            at = step(step(pointer, "Export"), "Name")
            exported = scope.resolve(output["Export"].get("Name"), at)
            where = (key_of(scope.account), key_of(scope.region), key_of(exported))
            if where in self.exports:
                other = self.exports[where][0].source.file
                self.flaws.append(_problem(scope.source, at, f"expected each export once, found it in {other}, too"))
            self.exports[where] = (scope, name)

    def _applies(self, scope: Scope, written: dict[str, Any], pointer: str) -> bool:
        """Whether a resource or output is there, as far as its condition tells."""
        name = written.get("Condition")
        if name is None:
            return True
        if not isinstance(name, str):
            raise Flaw(scope.source.place(pointer), "expected the name of a condition, found something else")
        return scope.condition(name, scope.source.place(step(pointer, "Condition"))) is not False

    # -- resolution ---------------------------------------------------------------------------------------------------

    def stacks(self) -> tuple[Stack, ...]:
        """Every stack, resolved."""
        for scope in list(self.scopes.values()):
            self._kept(lambda scope=scope: self._export(scope))  # type: ignore[misc]
        return tuple(self._stack(scope) for scope in self.scopes.values())

    def _stack(self, scope: Scope) -> Stack:
        resources: dict[str, Resource] = {}
        for id_, written in scope.section("Resources").items():
            made = self._kept(lambda id_=id_, written=written: self._resource(scope, id_, written))  # type: ignore[misc]
            if made is not None:
                resources[id_] = made
        outputs: dict[str, Value] = {}
        for name, output in scope.section("Outputs").items():
            pointer = step("/Outputs", name)
            place = scope.source.place(pointer)
            if isinstance(output, dict) and self._kept(
                lambda output=output, pointer=pointer: self._applies(scope, output, pointer)  # type: ignore[misc]
            ):
                outputs[name] = self._kept(lambda name=name, place=place: scope.output(name, place))  # type: ignore[misc]
        for name in scope.section("Parameters"):
            place = scope.source.place(step("/Parameters", name))
            self._kept(lambda name=name, place=place: scope.named(name, place))  # type: ignore[misc]
        for name in scope.section("Conditions"):
            place = scope.source.place(step("/Conditions", name))
            self._kept(lambda name=name, place=place: scope.condition(name, place))  # type: ignore[misc]
        return Stack(
            key=scope.key, name=scope.name, file=scope.source.file, account=scope.account, region=scope.region,
            resources=resources, outputs=outputs,
        )  # fmt: skip

    def _kept(self, make: Callable[[], Any]) -> Any:
        """What is made; None where CloudFormation would refuse it, which is kept."""
        try:
            return make()
        except Flaw as flaw:
            self.flaws.append(flaw.problem)
            return None

    def _resource(self, scope: Scope, id_: str, written: Any) -> Resource | None:
        pointer = step("/Resources", id_)
        place = scope.source.place(pointer)
        if id_.startswith("Fn::"):
            self.problem(
                place, f"{id_.partition('::')[0]}::{id_.split('::')[1]} makes resources that are not known here"
            )
            return None
        if not isinstance(written, dict) or not isinstance(written.get("Type"), str):
            raise Flaw(place, "expected a resource with a Type, found something else")
        for key in written:
            if key not in ATTRIBUTES:
                raise Flaw(scope.source.place(step(pointer, key)), f"expected {_listed(ATTRIBUTES)}, found {key!r}")
        exists = scope.exists(id_)
        if exists is False:
            return None
        properties = scope.resolve(written.get("Properties", {}), step(pointer, "Properties"))
        if not isinstance(properties, dict):
            raise Flaw(place, "expected Properties to be an object, found something else")
        metadata = written.get("Metadata")
        return Resource(
            stack=scope.key, id=id_, type=written["Type"], properties=properties, place=place, ref=scope.ref(id_),
            arn=scope.arn(id_), condition="" if exists else f"{scope.key}/{written['Condition']}",
            metadata=metadata if isinstance(metadata, dict) else {}, source=scope.source,
        )  # fmt: skip


def _problem(source: Source, pointer: str, message: str) -> Problem:
    return Problem(place=source.place(pointer), message=message)


def _listed(names: frozenset[str]) -> str:
    *first, last = sorted(names)
    return f"{', '.join(first)} or {last}"
