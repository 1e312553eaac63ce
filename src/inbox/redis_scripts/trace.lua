-- What became of a notification at one user. Does not write.
-- KEYS: log, devices, endings, proofs; ARGV: id
-- -> nothing if it was not appended; else epoch, number, kind of its end, when that was, when it was read, then for each
-- receipt, in the order of time: device, node, socket, when, 1 if acknowledged
local log = load_log(KEYS[1], KEYS[2])
if not log then return {} end

-- Where it is or was in the log: its number, and if it is no entry any more kind, time and reading time of its end.
local function find_id(id)
  local ended = call('HGET', KEYS[3], id)
  if ended then return string.match(ended, '^(%d+) (%d+) (%d+) (%d+)$') end
  return each_entry(KEYS[1], log, 0, chunk, function(number, record)
    if id_of(record) == id then return text(number) end
  end)
end

local number, kind, ended_at, read_at = find_id(ARGV[1])
if not number then return {} end
read_at = read_at or call('HGET', KEYS[1], 'read:' .. number) or '0'
local answer = {epoch_of(log), tonumber(number), tonumber(kind or '0'), tonumber(ended_at or '0'), tonumber(read_at)}
local proofs = {}
for _, packed in ipairs(call('ZRANGEBYSCORE', KEYS[4], number, '+inf')) do
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
