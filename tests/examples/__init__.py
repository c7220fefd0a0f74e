"""The examples, run as their systems would run them."""
