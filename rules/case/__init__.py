"""The case: what may be done to it, by whom, when it is due, which alarms it arms (domain.md, section 4)."""
