"""A simulated clock: it makes the outbox's timestamps older, which has the effect of time passing."""

from redis.asyncio import Redis

ADVANCE = """
local ms = tonumber(ARGV[1])
local fields = { limited = 1, broken = 1, next = 1, served = 1, probe = 1, probe_at = 1, paused_at = 1,
  notified = 1, notifying = 1, due = 1, since = 1, passed = 1,
  refused_at = 1 }
for _, key in ipairs(redis.call('KEYS', 'pb:{*')) do
  local kind, name = redis.call('TYPE', key).ok, string.match(key, '}:(%a+)')
  if kind == 'zset' and (name == 'due' or name == 'lane' or name == 'box' or name == 'leases' or name == 'slots'
    or name == 'paused' or name == 'labels' or name == 'messages' or name == 'budget' or name == 'refused') then
    local all = redis.call('ZRANGE', key, 0, -1, 'WITHSCORES')
    for i = 1, #all, 2 do
      redis.call('ZADD', key, all[i + 1] - ms, all[i])
    end
  elseif kind == 'hash' and (name == 'channel' or name == 'workspace' or name == 'delivery') then
    local all = redis.call('HGETALL', key)
    for i = 1, #all, 2 do
      if fields[all[i]] then
        redis.call('HSET', key, all[i], string.format('%.0f', all[i + 1] - ms))
      end
    end
  elseif name == 'claim' then
    local left = redis.call('PTTL', key) - ms
    if left > 0 then
      redis.call('PEXPIRE', key, left)
    else
      redis.call('DEL', key)
    end
  elseif name == 'until' or name == 'doubt' then
    redis.call('SET', key, string.format('%.0f', redis.call('GET', key) - ms), 'KEEPTTL')
  end
end
"""


async def advance(redis: Redis, seconds: float) -> None:
    """Let time pass for every delivery, lease, rest and rate on a single server."""
    await redis.eval(ADVANCE, 0, round(seconds * 1000))
