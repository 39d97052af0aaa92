"""One file per stand-in; the server finds them by looking in this folder."""
