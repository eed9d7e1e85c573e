-- People were notified of a problem: they are not notified of it again until a post has gone through.
-- ARGV 'channel' or 'workspace', which, why
local health = ARGV[1] == 'channel' and health_of(ARGV[2]) or workspace_health_of(ARGV[2])
redis.call('HDEL', health, 'notifier', 'notifying')
redis.call('HSET', health, 'notified', now_ms(), 'notified_why', ARGV[3])
