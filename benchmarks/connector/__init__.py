"""The connector as a process of its own over real servers, against what a person writes by hand."""
