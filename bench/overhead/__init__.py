"""What a prediction costs beyond the model: our server and its peers, side by side in one run."""
