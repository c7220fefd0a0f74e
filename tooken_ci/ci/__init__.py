"""Where the command runs: GitHub, GitLab, a terminal."""
