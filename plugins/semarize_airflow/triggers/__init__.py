"""What waits in the triggerer while no worker is held."""
