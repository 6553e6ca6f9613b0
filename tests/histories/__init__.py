"""Recorded histories of cases, and what replaying them must give."""
