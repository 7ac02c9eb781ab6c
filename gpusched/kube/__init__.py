"""kube-scheduler 1.36.1: the framework, its default plugins, the queue and one attempt.

Everything here is a function of what it is given: no clock, no YAML, no API server, no screen.
Time is handed in where the real scheduler reads it (the queue's back-off); randomness likewise.
"""
