"""What is stored: tables, the database session, encryption, and the messages that cross Temporal.

This module imports no table: workflows import `models.messages`, and need none.
"""
