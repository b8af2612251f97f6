"""Jobs: solves that wait in a durable queue, workers that do them and survive each other, and what comes of their plans."""
