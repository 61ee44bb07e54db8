"""The connector: the four endpoints that Bitrix24 asks, over databases and files. A library of its own."""
