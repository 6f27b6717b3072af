"""One module a solver: NOTE (its settings in words), PACKAGES (whose versions are stored), and solve(problem)."""
