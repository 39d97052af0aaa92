"""sqlfluff, a fifth quicker, over all of the project: also what is only there for some companies.

It makes so many objects that looking for garbage costs it a fifth. Each of its processes imports
this file, and so looks less often.

The variables are those that `make check` parses with afterwards, so that dbt parses once for both;
in sqlfluff's own settings they could only be texts.
"""

import gc
import os

import yaml
from sqlfluff.cli.commands import cli
from sqlfluff_templater_dbt.templater import DbtTemplater

gc.set_threshold(100_000)
VARIABLES = yaml.safe_load(os.environ["VARIABLES"])
DbtTemplater._get_cli_vars = lambda self: VARIABLES

if __name__ == "__main__":
    cli(prog_name="sqlfluff")
