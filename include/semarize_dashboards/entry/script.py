"""What Streamlit runs. In a folder of its own: beside ``pages/`` it would make its own menu."""

from semarize_dashboards.app import main

main()
