"""What `fer predict` draws besides its rows: annotations, explanations, a report."""
