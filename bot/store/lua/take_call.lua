-- Counts a call against a day's budget, before it is made.
-- KEYS calls of the day (text "calls:last attempt")
-- ARGV attempt, maximum number of calls per day, ms to remember   -> 1, or 0 if the budget is used up
-- A repeated call for the same attempt gets the same answer.
local used, last = string.match(redis.call('GET', KEYS[1]) or '0:', '^(%d+):(.*)$')
if last == ARGV[1] then
  return 1
end
if tonumber(used) >= tonumber(ARGV[2]) then
  return 0
end
redis.call('SET', KEYS[1], string.format('%d:%s', used + 1, ARGV[1]), 'PX', ARGV[3])
return 1
