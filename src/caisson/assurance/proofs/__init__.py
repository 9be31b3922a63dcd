"""Proofs over all requests: does any request exist that a control says must not?

How a policy decides depends on a request only through finitely many tests: which patterns its action, resource and
principal fit, and which comparisons its condition keys pass. So all requests fall into finitely many classes that no
policy can tell apart. One request of every class is decided by the same evaluator that decides concrete cases
(`assurance.iam`): there is no second semantics that could disagree. What the classes cannot be built for makes the
answer undetermined, with its reason.

    languages    words, one for each way to fit or not to fit some patterns (automata)
    values       what a condition key can hold, one value for each way to pass or not to pass the tests on it
    universe     accounts, regions and resources that requests may name
    principals   who may ask
    actions      which actions exist, by the service authorization reference
    claims       a claim as a value: who may never do what, but for which exceptions; and who must still be able to
    search       looks for a request that is allowed and against the claim
    estate       the policies of an organization and of its logging account, read from templates
    organization a system file's claims and estate
    families     the claims, by what they protect
"""
