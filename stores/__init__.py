"""The ground floor: where a study keeps its data, and the only code that opens it; files and pages."""
