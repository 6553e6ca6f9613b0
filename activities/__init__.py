"""The only code that writes a case: classes with their dependencies injected."""
