"""What alembic runs: the migrations, on the connection that `api.store.migrating` hands over, in its transaction."""

from __future__ import annotations

from alembic import context

from api.store.tables import Record

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Record.metadata,
    render_as_batch=True,
    transactional_ddl=True,
)
with context.begin_transaction():
    context.run_migrations()
