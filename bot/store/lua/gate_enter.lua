-- Takes the turn if it is free. A holder that asks again because its answer was lost gets it again.
-- KEYS the gate   ARGV token, maximum length of the turn in ms   -> 0 if the turn is ours, else ms until it may be free
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local gate = redis.call('HMGET', KEYS[1], 'holder', 'until')
local ends = tonumber(gate[2]) or 0
if gate[1] ~= ARGV[1] and ends > now then
  return ends - now
end
redis.call('HSET', KEYS[1], 'holder', ARGV[1], 'until', now + ARGV[2])
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return 0
