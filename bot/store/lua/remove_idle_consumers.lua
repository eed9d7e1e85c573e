-- Removes consumers that have read nothing in a long time and hold nothing: each killed process leaves one behind. A
-- live consumer is created again when it reads.
-- KEYS papers stream   ARGV group, minimum idle time in ms   -> how many were removed
local removed = 0
for _, fields in ipairs(redis.call('XINFO', 'CONSUMERS', KEYS[1], ARGV[1])) do
  local consumer = {}
  for i = 1, #fields, 2 do
    consumer[fields[i]] = fields[i + 1]
  end
  if consumer.pending == 0 and consumer.idle >= tonumber(ARGV[2]) then
    redis.call('XGROUP', 'DELCONSUMER', KEYS[1], ARGV[1], consumer.name)
    removed = removed + 1
  end
end
return removed
