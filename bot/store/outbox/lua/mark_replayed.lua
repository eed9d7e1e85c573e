-- What the server may have forgotten has been offered again.   ARGV when it was noticed, as `claim` said
if redis.call('GET', base .. 'forgot') == ARGV[1] then
  redis.call('DEL', base .. 'forgot')
end
