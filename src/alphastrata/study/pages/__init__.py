"""From artefacts to the page: each file fills the records of one part of the report."""
