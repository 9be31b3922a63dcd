"""Accounts and stacks on AWS, by boto3 (the control path)."""
