"""The scheduling queue: who is tried next, who waits, and what wakes whom.

A state machine without a clock: every call is handed ``now`` in microseconds. Time 0 is a
whole second, because back-off is aligned to whole seconds.

Source: kubernetes/kubernetes pkg/scheduler/backend/queue, v1.36.1; specification, section 7.
"""
