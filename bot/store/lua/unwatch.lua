-- KEYS what a channel or person watches, who of the shard watches the paper   ARGV paper, watcher
-- -> 1 if it watched the paper
redis.call('SREM', KEYS[2], ARGV[2])
return redis.call('HDEL', KEYS[1], ARGV[1])
