"""How many steps the machines take: few with every change, many when asked for.

``pytest tests/laws --hypothesis-profile laws-long`` or ``make verify-engines``.
"""

from hypothesis import settings

settings.register_profile("laws-long", derandomize=False, max_examples=600, stateful_step_count=150)
settings.register_profile(
    "verify-engines", derandomize=False, max_examples=400, stateful_step_count=100
)
