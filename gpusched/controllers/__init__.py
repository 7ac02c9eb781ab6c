"""The controllers of the control plane, as far as they bear on pods.

Each controller is a reconciler: it is told which objects changed, it names the keys that need work,
and its ``sync`` is a
generator that yields the requests that it wants the API server to carry out and is sent their
answers.

This room has no clock and no store of its own: ``now`` and every object come from the
`protocol.Reader` that it is handed.

Source: kubernetes/kubernetes pkg/controller, v1.36.1
"""
