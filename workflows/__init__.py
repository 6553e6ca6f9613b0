"""The durable shell around the pure rules: what must survive a crash is Temporal's job."""
