"""Principals of any CloudFormation templates and policies of an organization, and what is claimed of them.

readings       a policy whose values are not all known, as it allows the most and the least
fields         its elements
managed        AWS's own policies
holders        roles, users, permission sets, and what is attached to them
estates        the organization around them
claims         what is claimed
reach          who can become whom
examination    all claims, decided
"""
