"""Between books and tables: a batch is read in a few statements and written in a few, whatever its size."""
