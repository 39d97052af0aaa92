"""Airflow's metadata database, made ready in this process."""

from __future__ import annotations

from semarize_airflow.pools import make_pools


def prepare() -> None:
    """Create or migrate the database, make the pools and write the DAGs into it.

    The environment must be set before. Runs that start side by side would each write the DAGs
    that are not there yet, and all but one would fail on it.
    """
    # Airflow reads its configuration when it is first imported.
    from airflow.dag_processing.bundles.manager import DagBundlesManager
    from airflow.dag_processing.dagbag import BundleDagBag, sync_bag_to_db
    from airflow.utils.db import initdb

    initdb()
    make_pools()
    bundles = DagBundlesManager()  # type: ignore[no-untyped-call]
    bundles.sync_bundles_to_db()
    for bundle in bundles.get_all_dag_bundles():
        bundle.initialize()
        bag = BundleDagBag(dag_folder=bundle.path, bundle_path=bundle.path, bundle_name=bundle.name)
        sync_bag_to_db(bag, bundle.name, bundle.version)
