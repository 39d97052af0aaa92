"""A sandbox: local stand-ins for the five vendors and for Semarize.

Nothing here is a real vendor. The shapes, limits and errors follow what each one documents;
the people, companies and words are made up.
"""
