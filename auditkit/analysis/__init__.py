"""Questions to a snapshot: SQL, and the procedures that auditors know by name. Nothing here decides or sends."""
