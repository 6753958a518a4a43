"""How a command ends: on purpose with an exit code of its own, or in any other way. It imports nothing."""

__all__ = ["Finished"]


class Finished(SystemExit):
    """A command that chose its own exit code; all other endings that are not 0 to 3 on purpose become 2."""
