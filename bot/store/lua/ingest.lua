-- Writes one chunk of papers, without those that another process has changed since they were read.
-- KEYS fence, seen, papers stream, cursors, trending, changed, the source's list of papers to announce, then one record
--      per paper
-- ARGV [1] our fence ('' for none) [2] JSON of {keep, young, longest, source, cursor, hold, trending} [3..] three per
--      paper: SHA-1 of the record that was read ('' for none), the new record, JSON of {id, kind, first, change, lasting, fresh}.
--      `lasting` is the part of the change that is announced at any age.
--      A paper of the kind 'known' is stored without being seen: a source that lists it later still announces it.
-- -> {'lost'}, or one word per paper: announced, new, changed, same, or again (it has changed since it was read)
if ARGV[1] ~= '' and tonumber(redis.call('GET', KEYS[1]) or '0') > tonumber(ARGV[1]) then
  return { 'lost' }
end
local plan = cjson.decode(ARGV[2])
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local answers, conflict, written = {}, false, false
local last = redis.call('ZRANGE', KEYS[6], -1, -1, 'WITHSCORES')[2]
local tick = math.max(time[1] * 1000000 + time[2], (tonumber(last) or 0) + 1)

-- A poll is announced as a whole once all its pages are written: a channel's papers of one poll belong together.
local function announce(id, change)
  redis.call('RPUSH', KEYS[7], cjson.encode({ id, change }))
end

for i = 8, #KEYS do
  local at = 3 + (i - 8) * 3
  local was, record, paper = ARGV[at], ARGV[at + 1], cjson.decode(ARGV[at + 2])
  local current = redis.call('GET', KEYS[i])
  local first = redis.call('ZSCORE', KEYS[2], paper.id)
  local answer = 'same' -- also if this call is repeated: the record is ours already
  local known = not first and (paper.kind == 'known' or paper.kind == 'update')
  local settled = current == record and (first or known)
  if paper.kind == 'known' and first then
    settled = true -- it doesn't change a paper that was seen: that would have to be announced
  end
  if not settled then
    if (current and redis.sha1hex(current) or '') ~= was then
      answer, conflict = 'again', true
    else
      redis.call('SET', KEYS[i], record, 'PX', plan.keep)
      redis.call('ZADD', KEYS[6], string.format('%.0f', tick), paper.id)
      tick, written = tick + 1, true
      if current and paper.lasting ~= '' and (known or not first or paper.fresh) then
        announce(paper.id, paper.lasting) -- someone may watch a paper that no source has listed
      end
      if known then
        answer = current and 'changed' or 'new'
      elseif not first then
        redis.call('ZADD', KEYS[2], math.min(paper.first or now, now), paper.id)
        answer = 'new'
        if paper.kind == 'listed' then
          announce(paper.id, '')
          answer = 'announced'
        end
      elseif paper.fresh then
        announce(paper.id, '')
        answer = 'announced'
      else
        local young = tonumber(first) > now - plan.young
        local change = young and paper.change or paper.lasting
        if change ~= '' then
          announce(paper.id, change)
        end
        answer = 'changed'
      end
    end
  end
  answers[#answers + 1] = answer
end

-- The cursor never moves before every paper of the poll is written.
if plan.cursor and not conflict then
  redis.call('HSET', KEYS[4], plan.source, plan.cursor)
  if plan.trending then
    redis.call('SET', KEYS[5], plan.trending)
  end
  local news = redis.call('LRANGE', KEYS[7], 0, -1)
  if #news > 0 and not plan.hold then
    redis.call('XADD', KEYS[3], 'MAXLEN', '~', plan.longest, '*', 'news', '[' .. table.concat(news, ',') .. ']')
    redis.call('DEL', KEYS[7])
    redis.call('PUBLISH', 'pb:wake', 'papers')
  end
end
if written then
  redis.call('ZREMRANGEBYSCORE', KEYS[6], '-inf', (now - plan.keep) * 1000) -- their records have expired
  redis.call('PUBLISH', 'pb:wake', 'records')
end
return answers
