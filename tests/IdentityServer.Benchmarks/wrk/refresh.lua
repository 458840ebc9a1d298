-- Rotation: each thread keeps a queue of refresh tokens that no one else has. A request takes the oldest, its answer puts the
-- successor at the end, so every token is spent exactly once. wrk has one Lua state per thread and says not which connection asks:
-- the queue therefore holds more tokens than the thread has connections.
dofile(os.getenv("BENCH_LUA") .. "/report.lua")

local queue, first, last = {}, 1, 0
local head, tail

local function push(token)
  last = last + 1
  queue[last] = token
end

function init(args)
  local count = tonumber(os.getenv("BENCH_THREADS"))
  local line = 0
  for token in io.lines(os.getenv("BENCH_TOKENS")) do
    if line % count == id then push(token) end
    line = line + 1
  end
  head = "POST " .. wrk.path .. " HTTP/1.1\r\nHost: " .. wrk.host .. ":" .. wrk.port
    .. "\r\nContent-Type: application/x-www-form-urlencoded\r\nAuthorization: " .. os.getenv("BENCH_AUTHORIZATION")
    .. "\r\nContent-Length: "
  tail = "\r\n\r\ngrant_type=refresh_token&refresh_token="
end

function request()
  local token = queue[first]
  if token == nil then
    token = "none-left"
  else
    queue[first] = nil
    first = first + 1
  end
  return head .. (#token + 39) .. tail .. token
end

function response(status, headers, body)
  local token = status == 200 and body:match('"refresh_token"%s*:%s*"([^"]+)"')
  if token then push(token) else note_unexpected(status, body) end
end
