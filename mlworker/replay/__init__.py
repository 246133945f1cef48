"""A labelled set read again by each strategy: which one pays, by how much, and how sure that is."""
