-- SPDX-License-Identifier: ISC
--
-- nested.lua HOST - move in the middle of nested calls, a pcall and coroutines

local there = arg[1]
local trail = { host() }

local function go(where)
    assert(migrate(where))
    trail[#trail + 1] = host()
end

-- a generator that moves between two of its values
local function count_to(last)
    return coroutine.wrap(function()
        for i = 1, last do
            if i == 3 then
                go(there)
            end
            coroutine.yield(i)
        end
    end)
end

local function sum(last)
    local total = 0
    for i in count_to(last) do
        total = total + i
    end
    return total
end

-- what goes wrong there is caught by a pcall from before the move
local ok, problem = pcall(function()
    print("sum", sum(10), "at " .. host())
    error({ where = host(), what = "an error with a table" })
end)
print("caught", ok, problem.what, "of " .. problem.where, "at " .. host())

local squares = setmetatable({}, {
    __index = function(self, key)
        local value = key * key
        rawset(self, key, value)
        return value
    end,
})
for i = 1, 1000 do
    squares["" .. i] = squares[i]
end
go()
for i = 1, 1000 do
    assert(squares[i] == i * i and squares["" .. i] == i * i)
end
print("trail", table.concat(trail, " "), hops() .. " moves")
