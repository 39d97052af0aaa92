"""The operator's page: what is wrong, where a conversation is, what is missing and why."""
