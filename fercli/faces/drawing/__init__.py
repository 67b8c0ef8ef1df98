"""Drawing on pictures: boxes with labels, and heat maps over faces."""
