"""What a study computes: the stages, and how they are stored and follow one another."""
