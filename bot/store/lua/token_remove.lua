-- End a channel's token for a purpose, or all of them if no purpose is given.
-- KEYS the channel's tokens   ARGV purpose, key of a token's record without the hash   -> how many ended
local purposes = ARGV[1] == '' and redis.call('HKEYS', KEYS[1]) or { ARGV[1] }
local ended = 0
for _, purpose in ipairs(purposes) do
  local stored = redis.call('HGET', KEYS[1], purpose)
  if stored then
    redis.call('DEL', ARGV[2] .. string.match(stored, '^%S+'))
    redis.call('HDEL', KEYS[1], purpose)
    ended = ended + 1
  end
end
return ended
