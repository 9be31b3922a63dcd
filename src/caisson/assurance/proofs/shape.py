"""What a template must look like before its policies are read: what is of another shape is named, never passed over."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from caisson.errors import OperatorError

Json = dict[str, Any]


def checked(file: str, template: Any) -> Json:
    """The template, whose resources have types and properties, and whose parameters have patterns.

    Raises:
        OperatorError: something is not as CloudFormation has it (user guide, template-anatomy), or the template is
            transformed before it is deployed.
    """
    if not isinstance(template, dict) or not isinstance(template.get("Resources"), dict):
        raise OperatorError(f"{file}: expected a template with Resources, found something else")
    if "Transform" in template:
        raise OperatorError(f"{file}: Transform: expected a template that AWS deploys as it stands")
    for id_, resource in template["Resources"].items():
        at = f"{file}: Resources/{id_}"
        if not isinstance(resource, dict) or not isinstance(resource.get("Type"), str):
            raise OperatorError(f"{at}: expected a resource with a Type, found something else")
        if not isinstance(resource.get("Properties", {}), dict):
            raise OperatorError(f"{at}/Properties: expected an object, found something else")
    parameters = template.get("Parameters", {})
    if not isinstance(parameters, dict):
        raise OperatorError(f"{file}: Parameters: expected an object, found something else")
    for name, parameter in parameters.items():
        at = f"{file}: Parameters/{name}"
        if not isinstance(parameter, dict):
            raise OperatorError(f"{at}: expected an object, found something else")
        if not isinstance(parameter.get("AllowedPattern", ""), str):
            raise OperatorError(f"{at}/AllowedPattern: expected a string, found something else")
        if not isinstance(parameter.get("AllowedValues", []), list):
            raise OperatorError(f"{at}/AllowedValues: expected a list, found something else")
    return template


def resources(file: str, template: Json, *types: str) -> Iterator[tuple[str, Json]]:
    """Logical id and properties of the resources of some types.

    Raises:
        OperatorError: one is there on a condition only, so that it may not be.
    """
    for id_, resource in template["Resources"].items():
        if resource["Type"] not in types:
            continue
        if "Condition" in resource:
            raise OperatorError(
                f"{file}: Resources/{id_}/Condition: expected a policy that is always there, found one on the "
                f"condition {resource['Condition']!r}"
            )
        yield id_, resource.get("Properties", {})
