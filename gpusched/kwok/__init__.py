"""KWOK 0.7: what pretends to be the kubelets.

Stage objects as users write them: which one matches, when, and what it does.

Pure functions over JSON objects; the room knows no clock and no store. `sim.kubelet` plays what it
says.

Source: kubernetes-sigs/kwok v0.7.0
"""
