"""``python -m semarize_dashboards``: serve the dashboards here, on this machine only."""

from __future__ import annotations

import logging
import os
import sys
from pathlib import Path

from semarize_dashboards import style
from semarize_dashboards.settings import Settings
from semarize_pipeline.errors import PipelineError


def options(settings: Settings) -> dict[str, str | int | bool]:
    """What Streamlit is told: where to listen, how to look, and to call nobody."""
    return {
        "server.address": settings.address,
        "server.port": settings.port,
        "server.headless": True,
        "server.fileWatcherType": "none",
        "server.showEmailPrompt": False,
        "browser.gatherUsageStats": False,
        # An error's text may quote a row: the page shows its type, the log keeps no more.
        "client.showErrorDetails": "type",
        # The range of days has a default and may be taken along from another page.
        "global.disableWidgetStateDuplicationWarning": True,
        "client.showErrorLinks": False,
        "client.toolbarMode": "minimal",
        **{f"theme.{name}": value for name, value in style.THEME.items()},
    }


def main() -> int:
    """Serve until a signal comes; returns the exit code."""
    try:
        settings = Settings.told(os.environ)
    except PipelineError as problem:
        print(problem, file=sys.stderr)
        return 1
    from streamlit.web import bootstrap

    logging.basicConfig(level=logging.INFO)
    chosen = {name.replace(".", "_"): value for name, value in options(settings).items()}
    bootstrap.load_config_options(chosen)
    print(f"dashboards at http://{settings.address}:{settings.port}", flush=True)
    bootstrap.run(str(Path(__file__).parent / "entry" / "script.py"), False, [], chosen)
    return 0


if __name__ == "__main__":
    sys.exit(main())
