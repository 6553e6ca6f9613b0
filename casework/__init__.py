"""What API and pages call: file a case, send a command, read cases. Reads never touch a workflow."""
