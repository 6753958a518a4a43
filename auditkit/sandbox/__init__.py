"""Both vendors imitated over HTTP on loopback, from their API pages alone; imports nothing of auditkit."""
