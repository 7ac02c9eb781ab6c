"""What a run shows: plots, measures and the report page. Reads a `RunRecord`, never the loop."""
