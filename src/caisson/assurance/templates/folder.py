"""Which files of a folder are deployed as which stack.

- A folder that `caisson synth` wrote: `manifest.json` with `caisson_deployment`.
- CDK's output: `manifest.json` of a cloud assembly, with the assemblies of stages inside of it.
- Anything else: every `.json`, `.yaml`, `.yml` and `.template` in it, each a stack of its own, or a policy of an
  organization. Files with other endings are not looked at.

A file that none of these rules explains is a problem, never passed over.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any

from caisson.assurance.iam.place import decode, step
from caisson.assurance.templates.organization import is_policy
from caisson.assurance.templates.place import Flaw, Place, Problem, TemplateError
from caisson.assurance.templates.source import BYTES_MAX, Source
from caisson.assurance.templates.source import decode as decode_template
from caisson.errors import OperatorError

MANIFEST = "manifest.json"
ENDINGS = (".json", ".yaml", ".yml", ".template")
FILES_MAX = 1_000
"""Most files that are looked at."""
MANIFEST_BYTES_MAX = 20_000_000
"""Largest manifest; that of an assembly has the metadata of every construct."""
FORMAT = 1
"""Version of the manifest of `synth` that is known here."""
_ENVIRONMENT = re.compile(r"aws://([^/]+)/([^/]+)")


@dataclass(frozen=True, kw_only=True)
class Deployed:
    """A template and where it goes."""

    key: str
    source: Source
    name: str = ""
    """Name of the stack; empty where nothing tells it."""
    account: str = ""
    """Empty where nothing tells it."""
    region: str = ""
    parameters: Mapping[str, str] = field(default_factory=dict)
    """Values that the deployment gives."""
    outputs_of: Mapping[str, str] = field(default_factory=dict)
    """Parameter to the name of the stack whose output of that name fills it in."""


@dataclass(kw_only=True)
class Folder:
    """What was found."""

    root: Path
    deployed: list[Deployed] = field(default_factory=list)
    sources: dict[str, Source] = field(default_factory=dict)
    """Every template by file; those of nested stacks are deployed by others."""
    policies: dict[str, Source] = field(default_factory=dict)
    """Policies of an organization, and what describes one, by file."""
    flaws: list[Problem] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    digests: dict[str, str] = field(default_factory=dict)

    def text(self, file: str, bytes_max: int = BYTES_MAX) -> str:
        """The text of a file of the folder.

        Raises:
            Flaw: it is outside, no file, too large, or no text.
        """
        path, place = self.root / file, Place(file=file)
        try:
            if not path.resolve(strict=True).is_relative_to(self.root.resolve()):
                raise Flaw(place, "expected a file of the folder, found one outside of it")
            if not path.is_file():
                raise Flaw(place, "expected a file, found something else")
            if path.stat().st_size > bytes_max:
                raise Flaw(place, f"expected at most {bytes_max:,} bytes, found more")
            raw = path.read_bytes()
        except OSError as error:
            raise Flaw(place, f"expected a file that can be read, found: {error.strerror}") from None
        self.digests[file] = sha256(raw).hexdigest()
        try:
            return raw.decode("utf-8-sig")
        except UnicodeDecodeError:
            raise Flaw(place, "expected UTF-8, found something else") from None

    def source(self, file: str) -> Source:
        """A template, read once."""
        if file not in self.sources:
            self.sources[file] = decode_template(file, self.text(file))
        return self.sources[file]


def survey(root: Path) -> Folder:
    """What a folder holds.

    Raises:
        OperatorError: it is none, or holds nothing to read.
        TemplateError: a manifest cannot be read.
    """
    if not root.is_dir():
        raise OperatorError(f"{root}: expected a folder with templates, found none")
    found = Folder(root=root)
    try:
        manifest = _manifest(found, MANIFEST) if (root / MANIFEST).is_file() else {}
        if "caisson_deployment" in manifest:
            _own(found, manifest)
        elif isinstance(manifest.get("artifacts"), dict):
            _assembly(found, manifest, "")
            _strays(found)
        else:
            _bare(found)
    except Flaw as flaw:
        raise TemplateError([flaw.problem]) from None
    if not found.deployed and not found.policies and not found.flaws:
        raise OperatorError(f"{root}: expected templates or policies of an organization, found none")
    return found


def _manifest(found: Folder, file: str) -> dict[str, Any]:
    value, problems = decode(found.text(file, MANIFEST_BYTES_MAX))
    if problems:
        raise Flaw(Place(file=file, pointer=problems[0].pointer), problems[0].message)
    return value if isinstance(value, dict) else {}


def _own(found: Folder, manifest: dict[str, Any]) -> None:
    """What `synth` wrote."""
    if str(manifest["caisson_deployment"]) != str(FORMAT):
        raise Flaw(Place(file=MANIFEST, pointer="/caisson_deployment"), f"expected {FORMAT}, found another version")
    stacks = manifest.get("stacks")
    for index, stack in enumerate(stacks if isinstance(stacks, list) else []):
        place = Place(file=MANIFEST, pointer=f"/stacks/{index}")
        words = ("name", "account", "region", "template")
        if not isinstance(stack, dict) or not all(isinstance(stack.get(word), str) for word in words):
            raise Flaw(place, f"expected a stack with {', '.join(words)}, found something else")
        parameters = stack.get("parameters", [])
        if not isinstance(parameters, list) or not all(isinstance(one, dict) for one in parameters):
            raise Flaw(place, "expected a list of parameters, found something else")
        filled = {str(one.get("name")): one["output_of"] for one in parameters if isinstance(one.get("output_of"), str)}
        _add(found, stack["template"], key=stack["name"], name=stack["name"], account=stack["account"],
             region=stack["region"], outputs_of=filled)  # fmt: skip
    if not found.deployed and not found.flaws:
        raise Flaw(Place(file=MANIFEST, pointer="/stacks"), "expected stacks, found none")
    for file in _files(found.root / "templates"):
        name = str(Path("templates", file))
        if name not in found.sources and not any(flaw.place.file == name for flaw in found.flaws):
            found.problems.append(Problem(place=Place(file=name), message="stands in no stack of the manifest"))


def _add(found: Folder, file: str, **deployed: Any) -> None:
    try:
        source = found.source(file)
        if not isinstance(source.value, dict):
            raise Flaw(Place(file=file), "expected a template, found no object")
        if any(one.key == deployed["key"] for one in found.deployed):
            raise Flaw(Place(file=file), f"expected each stack once, found {deployed['key']!r} again")
        found.deployed.append(Deployed(source=source, **deployed))
    except Flaw as flaw:
        found.flaws.append(flaw.problem)


def _assembly(found: Folder, manifest: dict[str, Any], below: str) -> None:
    """A cloud assembly (CDK, cloud-assembly-schema)."""
    file = str(Path(below, MANIFEST))
    for name, artifact in manifest["artifacts"].items():
        place = Place(file=file, pointer=step("/artifacts", name))
        if not isinstance(artifact, dict):
            raise Flaw(place, "expected an artifact, found something else")
        properties = artifact.get("properties") if isinstance(artifact.get("properties"), dict) else {}
        if artifact.get("type") == "aws:cloudformation:stack":
            _stack_of(found, name, artifact, properties or {}, below, place)
        elif artifact.get("type") == "cdk:cloud-assembly":
            folder = (properties or {}).get("directoryName")
            if not isinstance(folder, str) or len(Path(below, folder).parts) > 8:
                raise Flaw(place, "expected the folder of an assembly, found none")
            inner = str(Path(below, folder))
            read = _manifest(found, str(Path(inner, MANIFEST)))
            if not isinstance(read.get("artifacts"), dict):
                raise Flaw(Place(file=str(Path(inner, MANIFEST))), "expected a cloud assembly, found something else")
            _assembly(found, read, inner)


def _stack_of(
    found: Folder, name: str, artifact: dict[str, Any], properties: dict[str, Any], below: str, place: Place
) -> None:
    template, environment = properties.get("templateFile"), artifact.get("environment", "")
    where = _ENVIRONMENT.fullmatch(environment) if isinstance(environment, str) else None
    if not isinstance(template, str) or where is None:
        raise Flaw(place, "expected a stack with templateFile and environment, found something else")
    parameters = properties.get("parameters", {})
    if not isinstance(parameters, dict) or not all(isinstance(one, str) for one in parameters.values()):
        raise Flaw(place, "expected parameters with text values, found something else")
    stack = properties.get("stackName", name)
    account, region = ("" if one.startswith("unknown-") else one for one in where.groups())
    _add(found, str(Path(below, template)), key=str(Path(below, name)), name=str(stack), account=account,
         region=region, parameters=parameters)  # fmt: skip


def _strays(found: Folder) -> None:
    """Templates of an assembly that are there for nested stacks."""
    for file in _files(found.root):
        if file.endswith(".template.json") and file not in found.sources:
            try:
                found.source(file)
            except Flaw as flaw:
                found.flaws.append(flaw.problem)


def _bare(found: Folder) -> None:
    for file in _files(found.root):
        try:
            source = decode_template(file, found.text(file))
        except Flaw as flaw:
            found.flaws.append(flaw.problem)
            continue
        value = source.value
        if isinstance(value, dict) and ("Resources" in value or "AWSTemplateFormatVersion" in value):
            found.sources[file] = source
            _add(found, file, key=file)
        elif is_policy(value):
            found.policies[file] = source
        else:
            message = "expected a template (Resources) or a policy (Statement), found neither"
            found.problems.append(Problem(place=Place(file=file), message=message))


def _files(folder: Path) -> Iterator[str]:
    """Files below a folder that may be templates, in order.

    Raises:
        Flaw: there are too many.
    """
    found = sorted(
        str(path.relative_to(folder)) for path in folder.rglob("*") if path.suffix in ENDINGS and not path.is_dir()
    )
    if len(found) > FILES_MAX:
        raise Flaw(Place(file="."), f"expected at most {FILES_MAX:,} files, found more")
    yield from found
