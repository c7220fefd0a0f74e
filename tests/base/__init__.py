"""The ground floor: nothing leaks, nothing from outside is trusted, records survive any name."""
