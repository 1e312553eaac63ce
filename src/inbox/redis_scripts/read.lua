-- A page of the log. Does not write.
-- KEYS: facts, entries; ARGV: 1 epoch of `after` or nothing, 2 after, 3 entries at most, 4 bytes at most, 5 now
-- -> epoch, 1 if `after` is a place in this log, upto, head, dropped to, then for each entry: its member, 1 if it was read
local after, entries_max, bytes_max, now = tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5])
local chunk = 32
local log = load_log()
local continues = 1
if ARGV[1] ~= '' and after > 0 then
  local upto = valid_upto(log, ARGV[1])
  if not upto or upto < after then continues = 0 end
end
if not log then return {epoch_of(nil), continues, after, 0, 0} end
local answer = {epoch_of(log), continues, math.max(log.head, after), log.head, log.dropped}
local bytes, last, from = 0, nil, after
while true do
  local members = redis.call('ZRANGEBYSCORE', KEYS[2], '(' .. text(from), '+inf', 'LIMIT', 0, math.min(chunk, entries_max + 1))
  for _, member in ipairs(members) do
    local number, id, expires_at = string.match(member, '^(%d+):(%S+) %d+ (%d+) ')
    from = tonumber(number)
    if tonumber(expires_at) > now then
      local line = string.find(member, '\n', 1, true)
      bytes = bytes + #member - line + #id
      if last and ((#answer - 5) / 2 >= entries_max or bytes > bytes_max) then
        answer[3] = last
        return answer
      end
      last = from
      answer[#answer + 1] = member
      answer[#answer + 1] = redis.call('HEXISTS', KEYS[1], 'read:' .. number)
    end
  end
  if #members < math.min(chunk, entries_max + 1) then return answer end
end
