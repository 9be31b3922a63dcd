"""Models of Amazon Bedrock.

request.py   what is sent: Converse, and nothing that the caller chose beside the conversation
answer.py    what comes back, whole or as events; hostile like any model's
bedrock.py   the port
"""

from caisson.adapters.aws.model.bedrock import BedrockModel

__all__ = ["BedrockModel"]
