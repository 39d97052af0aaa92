"""HTTP in four separate layers: authentication, paging, pacing and retrying.

Nothing here knows what a conversation is.
"""
