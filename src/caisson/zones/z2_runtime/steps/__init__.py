"""The steps of the request path, one module each; ../pipeline.py lists them in order."""
