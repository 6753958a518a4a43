"""The only part of auditkit that changes something at a vendor: plan, preview, approve, apply, verify, undo."""
