"""What an operator asks: what is wrong, where a conversation is, what is missing and why.

Everything here only reads: the state database, and the warehouse through whatever answers
selects. Nothing that it gives holds a transcript, a title or a person's name.
"""
