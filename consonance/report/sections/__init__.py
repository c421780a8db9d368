"""The sections of the report, one module for each: what is asked of the marts, drawn, and put into words."""
