-- Removes consumers that have not asked for anything in a long time and hold nothing: each process leaves one when it
-- is killed. A consumer that lives and asks again comes back by itself.
-- KEYS papers stream   ARGV group, idle for at least so many ms   -> how many were removed
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
