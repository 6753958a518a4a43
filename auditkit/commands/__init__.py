"""The commands, by what they are about; `auditkit.cli` puts them together."""
