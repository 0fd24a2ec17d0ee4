"""Questions about a whole network, as pages that need no script: findings, reachability, forks, comparisons."""
