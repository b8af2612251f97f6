"""Migrations of the store, oldest first; run by `api.store.migrating`."""
