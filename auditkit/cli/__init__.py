"""The commands, one file for each subject. `app.py` lists them in order, `main.py` runs them."""
