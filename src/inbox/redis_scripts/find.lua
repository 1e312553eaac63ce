-- Who was to get a notification. Does not write.
-- KEYS: its group of summaries; ARGV: id -> its summary as it was noted last, or nothing
local front = ARGV[1] .. ' '

local function find(summaries)
  local found, at = false, 1
  while at <= #summaries do
    local size, from = string.match(summaries, '^(%d+) ()', at)
    if not size then return found end
    if sub(summaries, from, from + #front - 1) == front then found = sub(summaries, from, from + size - 1) end
    at = from + size
  end
  return found
end

for i = -1, -call('LLEN', KEYS[1]), -1 do
  local summaries = call('LINDEX', KEYS[1], i)
  local found = string.find(summaries, front, 1, true) and find(summaries)
  if found then return found end
end
return false
