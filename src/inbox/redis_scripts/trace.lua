-- What became of a notification at one user. Does not write.
-- KEYS: facts, proofs; ARGV: id
-- -> nothing if it was not appended; else epoch, number, kind of its end, when that was, when it was read, then for each
-- receipt, in the order of time: device, node, socket, when, 1 if acknowledged
local log = load_log()
local number = log and redis.call('HGET', KEYS[1], 'id:' .. ARGV[1])
if not number then return {} end
local found = redis.call('HMGET', KEYS[1], 'ending:' .. number, 'read:' .. number)
local kind, ended_at = '0', '0'
if found[1] then kind, ended_at = string.match(found[1], '^(%d+) (%d+)$') end
local answer = {epoch_of(log), tonumber(number), tonumber(kind), tonumber(ended_at), tonumber(found[2] or '0')}
local proofs = {}
for _, packed in ipairs(redis.call('ZRANGEBYSCORE', KEYS[2], number, '+inf')) do
  local proof = cmsgpack.unpack(packed)
  if proof[1] < tonumber(number) then proofs[#proofs + 1] = proof end
end
table.sort(proofs, function(a, b)
  if a[6] ~= b[6] then return a[6] < b[6] end
  return a[8] < b[8]
end)
for _, proof in ipairs(proofs) do
  for _, part in ipairs({proof[3], proof[4], proof[5], proof[6], proof[7]}) do answer[#answer + 1] = part end
end
return answer
