-- The code flow of a signed-in browser: GET authorize answers with a redirect that carries a code, POST token spends it.
-- Whoever is free next redeems the oldest code; a flow is complete when an ID token came back.
dofile(os.getenv("BENCH_LUA") .. "/report.lua")

local codes, first, last, started = {}, 1, 0, 0
local authorize_head, authorize_tail, token_head, token_body

function init(args)
  local host = " HTTP/1.1\r\nHost: " .. wrk.host .. ":" .. wrk.port .. "\r\n"
  authorize_head = "GET " .. os.getenv("BENCH_AUTHORIZE") .. "&state=s"
  authorize_tail = host .. "Accept: text/html\r\nCookie: " .. os.getenv("BENCH_COOKIE") .. "\r\n\r\n"
  token_head = "POST " .. wrk.path .. host .. "Content-Type: application/x-www-form-urlencoded\r\nAuthorization: "
    .. os.getenv("BENCH_AUTHORIZATION") .. "\r\nContent-Length: "
  token_body = os.getenv("BENCH_BODY") .. "&code="
end

function request()
  local code = codes[first]
  if code then
    codes[first] = nil
    first = first + 1
    local body = token_body .. code
    return token_head .. #body .. "\r\n\r\n" .. body
  end
  started = started + 1
  return authorize_head .. id .. "-" .. started .. "&nonce=n" .. id .. "-" .. started .. authorize_tail
end

function response(status, headers, body)
  if status == 302 or status == 303 then
    local code = (headers["Location"] or headers["location"] or ""):match("[?&]code=([^&]+)")
    if code then
      last = last + 1
      codes[last] = code
      return
    end
  elseif status == 200 and body:find('"id_token"', 1, true) then
    flows = flows + 1
    return
  end
  note_unexpected(status, body)
end
