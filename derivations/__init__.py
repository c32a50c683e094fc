"""Mean-field theory in symbols: declaration, disorder average, stationary equations."""
