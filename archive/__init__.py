"""archive remembers: the catalogue of footage, tracks and identities. The only room that knows SQL."""
