"""What a scheduler sees: pods and nodes compiled to integers, the cache, and the columns.

This room knows the API models (`gpusched.api`) but no YAML, no clock and no scheduler:
it says what is where, never what should be. Every scheduler room (``kube/`` and its later
siblings) reads it.
"""
