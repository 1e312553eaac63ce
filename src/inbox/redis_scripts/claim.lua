-- Takes an idempotency key, or says who has it. Reads no log.
-- KEYS: the key; ARGV: 1 fingerprint of the request, 2 id, 3 recipients, 4 now, 5 how long it is remembered
-- -> "new"; "conflict": it was used for something else; or "open" (not completed) or "done", with id and recipients
local now, keep = tonumber(ARGV[4]), tonumber(ARGV[5])
local state, id, recipients = claimed(KEYS[1], ARGV[1], now, keep)
if state == 'conflict' then return {state} end
if state then return {state, id, tonumber(recipients)} end
claim(KEYS[1], 'open', ARGV[2], ARGV[3], now, ARGV[1], keep)
return {'new'}
