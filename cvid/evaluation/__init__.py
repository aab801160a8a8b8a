"""How good are the models on a user's own labelled pictures? Numbers only; reports/ shows them."""
