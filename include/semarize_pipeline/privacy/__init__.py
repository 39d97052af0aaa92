"""Personal data: redacted before it lands or leaves, erased on request, kept for so many days."""
