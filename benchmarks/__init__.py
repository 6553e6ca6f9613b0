"""Benchmarks: each beside its floor in the same run. `python benchmarks/NAME.py --help`."""
