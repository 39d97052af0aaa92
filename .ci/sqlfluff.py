"""sqlfluff, a fifth quicker: it makes so many objects that looking for garbage costs it as much.

Each of its processes imports this file, and so looks less often.
"""

import gc

from sqlfluff.cli.commands import cli

gc.set_threshold(100_000)

if __name__ == "__main__":
    cli(prog_name="sqlfluff")
