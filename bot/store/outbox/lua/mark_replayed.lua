-- What the server may have forgotten was announced again.   ARGV when it was noticed, as `claim` answered
if redis.call('GET', base .. 'forgot') == ARGV[1] then
  redis.call('DEL', base .. 'forgot')
end
