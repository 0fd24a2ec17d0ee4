#!/usr/bin/env python
"""Django's command line for ClusterViz."""

from clusterviz.console import main

if __name__ == "__main__":
    main()
