"""What humans decide: said by verbs, kept in a journal, replayed into rulings (docs/decisions/0009)."""
