-- All recipients of a request have it. KEYS: its idempotency key
if redis.call('EXISTS', KEYS[1]) == 0 then return 0 end
redis.call('SETRANGE', KEYS[1], 0, 'done')  -- was "open"
return 1
