"""The commands, by what they are about; `auditkit.cli.main` puts them together."""
