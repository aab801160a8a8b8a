"""Sort tracks into people: the clusterers of cvid, held to what humans said, with ids that stay."""
