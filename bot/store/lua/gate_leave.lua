-- Give the turn back; the next may begin after a pause. Saying it twice changes nothing.
-- KEYS[1] the gate; ARGV token, ms of pause.
if redis.call('HGET', KEYS[1], 'holder') ~= ARGV[1] then
  return 0
end
local time = redis.call('TIME')
local now = time[1] * 1000 + math.ceil(time[2] / 1000) -- rounded up, for a pause may be longer but not shorter
redis.call('HSET', KEYS[1], 'holder', '', 'until', now + ARGV[2])
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return 1
