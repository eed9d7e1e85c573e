-- Ends a channel's or person's watch of a paper.
-- KEYS the watcher's watches, the paper's watchers in the shard   ARGV paper, watcher
-- -> 1 if it watched the paper
redis.call('SREM', KEYS[2], ARGV[2])
return redis.call('HDEL', KEYS[1], ARGV[1])
