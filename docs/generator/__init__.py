"""The pages of `docs/` that are made from what they describe, so that they cannot say anything else."""
