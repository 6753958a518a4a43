"""The only way out: plan, preview, apply, verify."""
