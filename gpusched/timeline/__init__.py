"""Plays a recorded timeline's steps on the control plane and writes one run in the recorded schema.

The room knows the recordings' formats; what happens between the steps is `sim`'s.
"""
