"""Review: the questions a human is best asked, the session that takes the answers, and its screens."""
