"""What people see: notebooks, charts, reports, workpapers and terminal tables."""
