-- Ends the entry of a node.
-- KEYS: beats names dead; ARGV: 1 node id, 2 ms that the dead are remembered
redis.call('ZADD', KEYS[3], clock(), ARGV[1])
redis.call('PEXPIRE', KEYS[3], ARGV[2])
redis.call('ZREM', KEYS[1], ARGV[1])
redis.call('HDEL', KEYS[2], ARGV[1])
return {'OK'}
