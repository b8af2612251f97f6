"""From the outbox to people and other systems: the inbox in the product, signed webhooks; each further target is one module here."""
