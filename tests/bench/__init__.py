"""The bench itself: that it measures everything it promises. Its figures are never asserted here."""
