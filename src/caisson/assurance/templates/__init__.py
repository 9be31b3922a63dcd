"""Reads what will be deployed: CloudFormation templates, CDK's or `synth`'s output, policies of an organization.

    templates = read(Path("cdk.out"))
    for resource in templates.resources("AWS::EC2::Subnet"):
        vpc = templates.find(resource.properties["VpcId"])   # a Resource, or None: not in these templates

`read(folder) -> Templates`
    `stacks`        each with `key`, `account`, `region`, `resources` by logical id, `outputs`
    `policies`      policies of an organization in files by themselves: `kind`, `content`, `targets`
    `problems`      what could not be resolved: a question that one touches is undetermined
    `assumptions`   what was taken to be so: defaults of parameters, one common account where none is said
    `resources(*types)`, `find(id or ARN)`, `unresolved()`

`Resource`: `type`, `properties`, `ref` (what `Ref` returns), `arn`, `condition` (undecided), `place`, `at(*path)`

Values are JSON; a number is `Number`, a `str` with its text (`integer` and `boolean` read what CloudFormation coerces).
What the templates do not tell is a `Symbol`:

    Reference   an id or attribute that AWS assigns      Parameter   a parameter without value
    Pseudo      an account or region that is not known   External    an export or `{{resolve:…}}` from elsewhere
    Applied     a function of symbols                    Choice      `Fn::If` on an undecided condition
    Joined      text with symbols in it                  Unknown     what this version does not know; a problem, too

Symbols are equal when they stand for the same: two references to one resource's ARN are, those of two are not.
`placeholder(value)` is the text with well-formed names in place of symbols, to evaluate policies with; None where no
form is known. `Fn::If` on a decided condition is its branch; resources whose condition is false are gone.

Refused (`TemplateError`, with every place): unreadable files, duplicate keys, unknown sections and resource attributes,
cycles, references to nothing, YAML's aliases and merge keys. Problems: unknown functions, transforms other than
`AWS::LanguageExtensions`, nested stacks whose template is not there, files that are no template and no policy.

    place      where something stands          source      JSON and YAML to data with places
    values     symbols                         functions   intrinsic functions on values, pure
    identity   what a type's names look like   placeholder text in place of symbols
    resolver   one stack                       reader      all stacks of a folder
    folder     which file is which stack       organization policies in files
    model      what comes out                  cycles, parameters, pseudo
"""

from caisson.assurance.iam.place import Number
from caisson.assurance.templates.model import OrganizationPolicy, Resource, Stack, Templates
from caisson.assurance.templates.place import Place, Problem, TemplateError
from caisson.assurance.templates.placeholder import placeholder
from caisson.assurance.templates.reader import read
from caisson.assurance.templates.values import (
    Applied,
    Choice,
    External,
    Joined,
    Parameter,
    Pseudo,
    Reference,
    Symbol,
    Unknown,
    Value,
    boolean,
    integer,
    known,
    symbols,
)

__all__ = [
    "Applied",
    "Choice",
    "External",
    "Joined",
    "Number",
    "OrganizationPolicy",
    "Parameter",
    "Place",
    "Problem",
    "Pseudo",
    "Reference",
    "Resource",
    "Stack",
    "Symbol",
    "TemplateError",
    "Templates",
    "Unknown",
    "Value",
    "boolean",
    "integer",
    "known",
    "placeholder",
    "read",
    "symbols",
]
