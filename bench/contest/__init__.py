"""What the comparisons with upstream's runtime share: one model, two servers, rounds, a table."""
