-- Drops what is stored of a session, but for the keys that are returned: those go next, and
-- their index last, so that a Forget that was cut off can be repeated.
-- KEYS: kept state log roster presence invitations vcards outbox conversations rooms nicks readers
redis.call('DEL', unpack(KEYS, 2))
return redis.call('ZRANGE', KEYS[1], 0, -1)
