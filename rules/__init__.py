"""What the policy documents say, as pure functions: no clock, no input or output, standard library only."""
