-- Removes a person's name from the records that they wrote. A record's author has the form `id name`.
-- KEYS hash of records as JSON   ARGV the person's id
local fields = redis.call('HGETALL', KEYS[1])
for at = 1, #fields, 2 do
  local values = decoded(fields[at + 1])
  if values and type(values.by) == 'string' and string.match(values.by, '^%S*') == ARGV[1] then
    values.by = ''
    redis.call('HSET', KEYS[1], fields[at], cjson.encode(values))
  end
end
