"""Charts as plain data, for the page: one file per part of a report."""
