"""The same scenario on a real cluster: play it, compare it with its simulation, capture a cluster.

* ``cluster``: the API server over HTTP, in plain JSON; the only file that knows the client library.
* ``preparing``: a scenario rewritten so that it can be played beside what is there already.
* ``playing``, ``world``, ``watching``: its steps in real time, and what watchers see of them.
* ``session``: refuse, create, play, record, clean up.
* ``recording``: what was seen, as the same `RunRecord` that a simulation leaves.
* ``simulating``, ``facts``, ``comparing``: the same in virtual time, and where the two part.
* ``capturing``: a cluster as a fleet and a scenario.

The room has the only wall clock of the package (``clock``). It must not know how to print.
"""
