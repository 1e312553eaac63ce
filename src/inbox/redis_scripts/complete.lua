-- All recipients of a request have it. KEYS: its idempotency key
if redis.call('EXISTS', KEYS[1]) == 0 then return 0 end
redis.call('HSET', KEYS[1], 'done', 1)
return 1
