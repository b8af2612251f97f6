"""The store: firms with their history, the firm's turn, the decision log; embedded or on PostgreSQL."""
