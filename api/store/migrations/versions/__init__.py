"""One module per migration. What a migration says is never changed once it was released."""
