-- Records that people were notified of a problem: they aren't notified of it again until a post has gone through.
-- ARGV 'channel' or 'workspace', its name, the reason
local health = ARGV[1] == 'channel' and health_of(ARGV[2]) or workspace_health_of(ARGV[2])
redis.call('HDEL', health, 'notifier', 'notifying')
redis.call('HSET', health, 'notified', now_ms(), 'notified_why', ARGV[3])
