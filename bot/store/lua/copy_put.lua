-- Adds a channel that gets a copy of each post of another one, its original. Both are in one shard.
-- KEYS the original's copies, the copy's original   ARGV record as JSON, original, maximum number, its number or 0
-- -> its number; 0 if there are too many already
local number, taken = tonumber(ARGV[4]), redis.call('HKEYS', KEYS[1])
if redis.call('EXISTS', KEYS[2]) == 1 then -- the call is repeated
  for _, field in ipairs(taken) do
    if redis.call('HGET', KEYS[1], field) == ARGV[1] then
      return tonumber(field)
    end
  end
end
if #taken >= tonumber(ARGV[3]) then
  return 0
end
if number == 0 or redis.call('HEXISTS', KEYS[1], number) == 1 then
  number = 1
  for _, field in ipairs(taken) do
    number = math.max(number, tonumber(field) + 1)
  end
end
redis.call('HSET', KEYS[1], number, ARGV[1])
redis.call('SET', KEYS[2], ARGV[2])
return number
