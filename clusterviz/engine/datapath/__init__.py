"""One mechanism a file: what decides a packet's way at each place."""
