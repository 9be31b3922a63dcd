"""Policy documents as pure functions: values in, statements out. Nothing here knows CDK."""
