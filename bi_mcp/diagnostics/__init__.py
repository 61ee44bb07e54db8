"""Checks that find out why a chart is empty. They read and never write.

Each folder builds on those after it: portal, dataset, connector, charts, tables, findings.
"""
