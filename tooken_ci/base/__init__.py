"""The ground floor: errors and exit codes, secrets and their redactor, safe text, clock, delivery records."""
