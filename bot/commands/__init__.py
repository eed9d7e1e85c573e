"""`/paper`: one table of commands, how a typed line is read, and what each command does."""
