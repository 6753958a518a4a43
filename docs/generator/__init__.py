"""The pages of `docs/` that are generated from what they describe, so that they are always current."""
