/* SPDX-License-Identifier: ISC */
/*
 * route_lua.c - Lua as it comes, with the allocator that it has itself
 */
#include "route.h"

#include <lauxlib.h>
#include <lua.h>
#include <lualib.h>
#include <stdlib.h>

static int go(lua_State *lua)
{
	(void)lua;
	route_go();
	return 0;
}

static int go_home(lua_State *lua)
{
	(void)lua;
	route_go_home();
	return 0;
}

static const char script[] =
	"local words, sum = {}, 0\n"
	"local function list(n)\n"
	"    for i = 1, n do words['word ' .. i] = {i, tostring(i)} end\n"
	"    go()\n"
	"    return n\n"
	"end\n"
	"local made = coroutine.wrap(function()\n"
	"    coroutine.yield(list(5000))\n"
	"end)()\n"
	"for _, word in pairs(words) do sum = sum + word[1] + #word[2] end\n"
	"assert(not pcall(function() go_home() error({}) end))\n"
	"collectgarbage()\n"
	"words = nil\n"
	"collectgarbage()\n"
	"return made, sum\n";

static void lua(void)
{
	lua_State *state = luaL_newstate();

	CHECK(route_in_slot(state));
	luaL_openlibs(state);
	lua_register(state, "go", go);
	lua_register(state, "go_home", go_home);
	if (luaL_dostring(state, script) != LUA_OK)
		route_wrong(__FILE__, __LINE__, lua_tostring(state, -1));
	CHECK(lua_tointeger(state, -2) == 5000);
	CHECK(lua_tointeger(state, -1) == 12502500 + 18893);
	lua_close(state);
}

void route_prepare(void)
{
}

const struct route_task route_tasks[] = {{"lua", lua}, {NULL, NULL}};
