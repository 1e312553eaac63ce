-- A page of the log. Does not write.
-- KEYS: log, devices; ARGV: 1 epoch of `after` or nothing, 2 after, 3 entries at most, 4 bytes at most, 5 now
-- -> epoch, 1 if `after` is a place in this log, upto, head, dropped to, then for each entry: number, record, 1 if it was read
local after, entries_max, bytes_max, now = tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5])
local log = load_log(KEYS[1], KEYS[2])
local continues = 1
if ARGV[1] ~= '' and after > 0 then
  local upto = valid_upto(KEYS[1], log, ARGV[1])
  if not upto or upto < after then continues = 0 end
end
if not log then return {epoch_of(nil), continues, after, 0, 0} end
local answer = {epoch_of(log), continues, math.max(log.head, after), log.head, log.dropped}
local bytes, numbers, records = 0, {}, {}

-- Takes one; true: there is no room for it.
local function take(number, record)
  if expiry_of(record) <= now then return false end
  bytes = bytes + #record - record_head_bytes
  if #numbers > 0 and (#numbers >= entries_max or bytes > bytes_max) then
    answer[3] = numbers[#numbers]
    return true
  end
  numbers[#numbers + 1] = number
  records[#records + 1] = record
  return false
end
each_entry(KEYS[1], log, after, math.min(32, entries_max + 1), take)  -- few at once: records may be large

local marks = read_marks(KEYS[1], numbers)
for i, number in ipairs(numbers) do
  answer[#answer + 1] = number
  answer[#answer + 1] = records[i]
  answer[#answer + 1] = marks[number] and 1 or 0
end
return answer
