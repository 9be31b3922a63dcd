"""How AWS decides a request: policies as frozen values, and their evaluation for one concrete request.

Values and their grammar (`document`, `grammar`, `pattern`, `operators`, `principals`) stand apart from evaluation
(`condition`, `statement`, `layer`, `decision`), so that a proof can read the same values in another way.

Three rules hold everywhere. What AWS's documentation settles is decided as it says, with the page beside the rule.
What it does not settle, or what is not modelled, is unknown with a reason, and an answer that depends on it is
undetermined. A document that AWS would not store is a problem with a place, never an empty policy.
"""
