"""What is fast enough, as ratios measured in one run. `make bench` prints them; tests never time anything."""
