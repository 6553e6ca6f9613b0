"""Recorded histories of reporting and of the daily heads, and what replaying them must give."""
