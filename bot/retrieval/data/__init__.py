"""Word list and word vectors of the matcher, and the program that builds them."""
