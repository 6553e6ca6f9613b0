"""The packaged policies, one TOML file each: every value with its unit and its source."""
