"""What somebody does who means harm: malformed, forged, replayed, too much, or someone else's."""
