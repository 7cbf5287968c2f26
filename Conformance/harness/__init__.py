"""What the checks share: Fairlead, its sandbox and the parties around them as real processes."""
