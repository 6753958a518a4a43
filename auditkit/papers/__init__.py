"""What is shown: charts and published notebooks."""
