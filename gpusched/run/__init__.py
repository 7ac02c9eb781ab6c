"""Runs: a scenario played, what it shows over time, and the folder that keeps it.

A run is known by its journal alone: the same views come from a run that has just ended and from
one that was saved.
"""
