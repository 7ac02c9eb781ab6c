"""Golden data recorded anew: what the tests read, from the real Kubernetes, in one command.

    python -m conformance.golden --kubernetes 1.36.1 [NAME...]

``decisions`` asks the real scheduler about the recorded cases again; ``timelines`` plays each recorded
script on fresh control planes. Both write the files under ``tests/golden`` in their present form, so
that a new release of Kubernetes is a diff to be reviewed.
"""
