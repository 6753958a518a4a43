"""Do secrets stay private? A user name, a password and a token take part in everything that can happen, and every file
and every byte that results is searched for them in every spelling."""
