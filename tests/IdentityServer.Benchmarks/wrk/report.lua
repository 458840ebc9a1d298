-- Shared by the scripts: counts what each thread saw and prints one line of JSON for the harness.
local threads = {}

function setup(thread)
  thread:set("id", #threads)
  table.insert(threads, thread)
end

-- A thread's own count of answers that were not what the scenario asks for, and the first of them.
unexpected = 0
first_unexpected = ""
flows = 0

function note_unexpected(status, body)
  unexpected = unexpected + 1
  if first_unexpected == "" then
    first_unexpected = status .. " " .. (body or ""):sub(1, 200):gsub('[%c"\\]', " ")
  end
end

function done(summary, latency, requests)
  local bad, completed, example = 0, 0, ""
  for _, thread in ipairs(threads) do
    bad = bad + thread:get("unexpected")
    completed = completed + thread:get("flows")
    if example == "" then example = thread:get("first_unexpected") end
  end
  local e = summary.errors
  io.write(string.format(
    'RESULT {"requests":%d,"flows":%d,"microseconds":%d,"p50":%d,"p99":%d,"max":%d,"unexpected":%d,"socketErrors":%d,"example":"%s"}\n',
    summary.requests, completed, summary.duration, latency:percentile(50), latency:percentile(99), latency.max,
    bad + e.status, e.connect + e.read + e.write + e.timeout, example))
end
