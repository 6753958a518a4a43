"""Do secrets stay where they belong? A user name, a password and a token are carried through everything that can
happen, and every file and every byte that comes of it is searched for them in every spelling."""
