-- Stores a channel's or person's watch of a paper.
-- KEYS the watcher's watches, the paper's watchers in the shard
-- ARGV paper, record, watcher, maximum number of papers, ms to store it
-- -> 1 if it watches the paper now, 0 if it watches too many others
if redis.call('HEXISTS', KEYS[1], ARGV[1]) == 0 and redis.call('HLEN', KEYS[1]) >= tonumber(ARGV[4]) then
  return 0
end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
redis.call('SADD', KEYS[2], ARGV[3])
redis.call('PEXPIRE', KEYS[1], ARGV[5])
redis.call('PEXPIRE', KEYS[2], ARGV[5])
return 1
