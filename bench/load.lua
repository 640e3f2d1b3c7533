-- The load that wrk sends: payments, each request with a reference of its own.
--
-- A request's reference is also its X-Request-Id, which every answer repeats: so the script knows
-- of each request whether it was answered, and prints at the end which were not. The amount of a
-- line follows from its place, so that the books can be checked to the penny.

local SUCCESS = '"Success":true}'
local threads = {}

function setup(thread)
  table.insert(threads, thread)
  thread:set("thread_number", #threads)
end

function init(args)
  local read = {}
  for i = 1, #args do
    local name, value = args[i]:match("^([%w_]+)=(.*)$")
    read[name] = value
  end
  tag = read.tag
  contacts, per_contact = tonumber(read.contacts), tonumber(read.per_contact)
  lines, customers = tonumber(read.lines), tonumber(read.customers)
  hot = read.hot == "yes"
  head = table.concat({
    "POST /POS/BillingPayments HTTP/1.1",
    "Host: 127.0.0.1",
    "Content-Type: application/json",
    "userName: " .. read.user_name,
    "password: " .. read.password,
    "customerGuid: 5f0c3b52-6a1d-4d0e-9b7f-",
  }, "\r\n")
  issued, answered, refused = 0, 0, 0
  outstanding, refusal = {}, ""
  math.randomseed(tonumber(read.seed) * 1000 + thread_number)
end

-- Distinct items of one contact. A hot load pays the very first item in every request.
local function choose()
  local contact = hot and 0 or math.random(0, contacts - 1)
  local first = math.random(0, per_contact - 1)
  local items = {}
  for i = 1, lines do
    items[i] = contact * per_contact + (first + i - 1) % per_contact + 1
  end
  if hot then
    items[1] = 1
    for i = 2, lines do
      items[i] = 2 + (first + i) % (per_contact - 1)
    end
  end
  return contact, items
end

function request()
  issued = issued + 1
  outstanding[issued] = true
  local reference = tag .. "-" .. thread_number .. "-" .. issued
  local contact, items = choose()
  local written = {}
  for i = 1, lines do
    local minor = 1 + (issued * 7 + i) % 97
    written[i] = '{"BillingId":' .. items[i] .. ',"Amount":' .. minor / 100
      .. ',"ThirdPartyReference":"' .. reference .. '"}'
  end
  local body = string.format(
    '{"ContactId":"00000000-0000-4000-8000-%012d","PaymentDate":"2026-03-02T09:%02d:%02d",'
      .. '"TenderTypeId":28,"BillingPayments":[%s]}',
    contact, issued / 60 % 60, issued % 60, table.concat(written, ","))
  return string.format(
    "%s%012d\r\nX-Request-Id: %s\r\nContent-Length: %d\r\n\r\n%s",
    head, customers == 1 and 0 or math.random(0, customers - 1), reference, #body, body)
end

function response(status, headers, body)
  local reference = headers["x-request-id"]
  if status == 200 and reference and body:sub(-#SUCCESS) == SUCCESS then
    outstanding[tonumber(reference:match("%d+$"))] = nil
    answered = answered + 1
  else
    refused = refused + 1
    if refusal == "" then
      refusal = status .. " " .. body:sub(1, 300)
    end
  end
end

local function quote(text)
  return '"' .. text:gsub('[%c"\\]', " ") .. '"'
end

function done(summary, latency)
  local told = {}
  for i, thread in ipairs(threads) do
    local open = {}
    for number in pairs(thread:get("outstanding")) do
      table.insert(open, number)
    end
    told[i] = string.format(
      '{"issued":%d,"answered":%d,"refused":%d,"refusal":%s,"outstanding":[%s]}',
      thread:get("issued"), thread:get("answered"), thread:get("refused"),
      quote(thread:get("refusal")), table.concat(open, ","))
  end
  local errors = summary.errors
  print(string.format(
    '\nBENCH {"seconds":%.6f,"p50_ms":%.3f,"p99_ms":%.3f,"errors":%d,"threads":[%s]}',
    summary.duration / 1e6, latency:percentile(50) / 1e3, latency:percentile(99) / 1e3,
    errors.connect + errors.read + errors.write + errors.timeout, table.concat(told, ",")))
end
