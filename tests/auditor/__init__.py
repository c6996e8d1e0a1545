"""The outside auditor: judges the record of a demo from its files alone, with other people's code. See README.md."""
