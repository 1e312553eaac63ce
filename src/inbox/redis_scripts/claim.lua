-- Takes an idempotency key, or says who has it. Reads no log.
-- KEYS: the key; ARGV: 1 fingerprint of the request, 2 id, 3 recipients, 4 now, 5 how long it is remembered
-- -> "new"; "conflict": it was used for something else; or "again" (not completed) or "done", with id and recipients
local v = redis.call('HMGET', KEYS[1], 'fingerprint', 'id', 'recipients', 'at', 'done')
if v[1] and tonumber(v[4]) + tonumber(ARGV[5]) > tonumber(ARGV[4]) then
  if v[1] ~= ARGV[1] then return {'conflict'} end
  return {v[5] and 'done' or 'again', v[2], tonumber(v[3])}
end
redis.call('DEL', KEYS[1])
redis.call('HSET', KEYS[1], 'fingerprint', ARGV[1], 'id', ARGV[2], 'recipients', ARGV[3], 'at', ARGV[4])
redis.call('PEXPIRE', KEYS[1], ARGV[5])
return {'new'}
