-- Revokes a channel's token for a purpose, or all of its tokens if the purpose is ''.
-- KEYS the channel's tokens   ARGV purpose, key of a token's record without the hash   -> how many were revoked
local purposes = ARGV[1] == '' and redis.call('HKEYS', KEYS[1]) or { ARGV[1] }
local revoked = 0
for _, purpose in ipairs(purposes) do
  local stored = redis.call('HGET', KEYS[1], purpose)
  if stored then
    redis.call('DEL', ARGV[2] .. string.match(stored, '^%S+'))
    redis.call('HDEL', KEYS[1], purpose)
    revoked = revoked + 1
  end
end
return revoked
