"""Amazon Bedrock Runtime as seen by whoever calls it.

endpoint.py    the one address of a Region
lease.py       credentials in force, with their end
profile.py     where they come from: a named profile, resolved by botocore off the request path
calls.py       a signed call with bounds on time, size, attempts and concurrency
failures.py    every error of the service, mapped
assessment.py  what a guardrail of AWS says, as decision records
"""
