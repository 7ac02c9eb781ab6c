"""The only room with a clock.

The SimPy loop, the API server's store and journal, event recorders, clients and their rates.

It joins the scheduler, the controllers and KWOK. Time is an integer number of microseconds since t
= 0; only `sim.loop`
imports SimPy.
"""
