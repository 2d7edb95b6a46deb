-- SPDX-License-Identifier: ISC
--
-- visit.lua HOST... - visit each host, look around, and come home with a table
--
-- At each: the load, and how many accounts /etc/passwd has.

local found = {}

local function read(path)
    local file <close> = assert(io.open(path))
    return file:read("a")
end

local function look()
    local accounts = 0
    for line in read("/etc/passwd"):gmatch("[^\n]+") do
        if line:find("^[^#]") then
            accounts = accounts + 1
        end
    end
    return {
        host = host(),
        load = tonumber(read("/proc/loadavg"):match("^%S+")),
        accounts = accounts,
    }
end

for i = 1, #arg do
    local arrived, why = migrate(arg[i])
    if arrived then
        found[#found + 1] = look()
    else
        found[#found + 1] = { host = arg[i], why = why }
    end
end
assert(migrate())

print(string.format("%-20s %6s %8s", "host", "load", "accounts"))
for _, at in ipairs(found) do
    if at.why then
        print(string.format("%-20s %s", at.host, at.why))
    else
        print(string.format("%-20s %6.2f %8d", at.host, at.load, at.accounts))
    end
end
