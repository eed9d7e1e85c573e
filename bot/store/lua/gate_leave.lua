-- Gives the turn back; the next one can begin after a pause. A repeated call changes nothing.
-- KEYS the gate   ARGV token, ms of pause   -> 1 if the turn was ours
if redis.call('HGET', KEYS[1], 'holder') ~= ARGV[1] then
  return 0
end
local time = redis.call('TIME')
local now = time[1] * 1000 + math.ceil(time[2] / 1000) -- rounded up: a pause may be longer, but not shorter
redis.call('HSET', KEYS[1], 'holder', '', 'until', now + ARGV[2])
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return 1
