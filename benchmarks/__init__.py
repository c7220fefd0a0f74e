"""The benchmark: what this project costs, beside what a user would pick instead and beside the ideal."""
