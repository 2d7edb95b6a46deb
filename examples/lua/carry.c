/* SPDX-License-Identifier: ISC */
/*
 * carry.c - run a Lua script that can move to another machine
 *
 *     hostb$ PSU_THREAD_CERTS=keys/hostb ./carry
 *     hosta$ PSU_THREAD_CERTS=keys/hosta ./carry nested.lua hostb
 *
 * To compile it, with Debian's liblua5.4-dev:
 *
 *     gcc carry.c $(pkg-config --cflags --libs lua5.4) \
 *         $(pkg-config --static --cflags --libs psu_thread) -o carry
 *
 * Lua is as it comes; its memory is the thread's own heap, which travels.  The
 * script has three functions more: migrate(host), or migrate() for home, which
 * returns true there, or nil and why not here; host(), where it is; and
 * hops(), how often it has moved.
 */
#include <psu_thread.h>

#include <lauxlib.h>
#include <lua.h>
#include <lualib.h>
#include <stdio.h>
#include <stdlib.h>

/** That a server which is to stop has with scripts that are here still. */
#define PATIENCE_MS 10000

/** The script and its arguments: what main was given, of use at home only. */
struct words {
	int count;
	char **list;
};

static void *allocate(void *unused, void *block, size_t had, size_t len)
{
	(void)unused;
	(void)had;
	if (len)
		return psu_thread_realloc(block, len);
	psu_thread_free(block);
	return NULL;
}

static int migrate(lua_State *lua)
{
	const char *host = luaL_optstring(lua, 1, PSU_THREAD_HOME);

	/* garbage need not go along: it may have been a file of this process */
	lua_gc(lua, LUA_GCCOLLECT);
	if (psu_thread_migrate(host) == 0) {
		lua_pushboolean(lua, 1);
		return 1;
	}
	lua_pushnil(lua);
	lua_pushstring(lua, psu_thread_errmsg());
	return 2;
}

static int host(lua_State *lua)
{
	lua_pushstring(lua, psu_thread_host());
	return 1;
}

static int hops(lua_State *lua)
{
	struct psu_thread_hop newest;
	unsigned long long count = 0;

	if (psu_thread_hops(&newest, 1) > 0)
		count = newest.generation;
	lua_pushinteger(lua, (lua_Integer)count);
	return 1;
}

/** As the lua command: `arg` has the script at 0. */
static void set_words(lua_State *lua, const struct words *words)
{
	lua_createtable(lua, words->count, 1);
	for (int i = 0; i < words->count; i++) {
		lua_pushstring(lua, words->list[i]);
		lua_rawseti(lua, -2, i);
	}
	lua_setglobal(lua, "arg");
}

static void *run(void *argument)
{
	const struct words *words = argument;
	lua_State *lua = lua_newstate(allocate, NULL);
	int status;

	if (!lua)
		return (void *)1;
	luaL_openlibs(lua);
	lua_register(lua, "migrate", migrate);
	lua_register(lua, "host", host);
	lua_register(lua, "hops", hops);
	set_words(lua, words);
	status = luaL_loadfile(lua, words->list[0]);
	if (status == LUA_OK)
		status = lua_pcall(lua, 0, 0, 0);
	/* wherever it is now */
	if (status != LUA_OK)
		fprintf(stderr, "%s\n", lua_tostring(lua, -1));
	lua_close(lua);
	return (void *)(long)(status != LUA_OK);
}

int main(int argc, char **argv)
{
	int mode = argc > 1 ? PSU_THREAD_CLIENT : PSU_THREAD_SERVER;
	struct words words = {argc - 1, argv + 1};
	struct psu_thread_handle *thread;
	void *result = NULL;

	setvbuf(stdout, NULL, _IOLBF, 0);
	if (psu_thread_setup_init(mode, NULL) != 0) /* main's first act */
		return EXIT_FAILURE;
	if (mode == PSU_THREAD_SERVER)
		return psu_thread_serve(PATIENCE_MS) ? EXIT_FAILURE : EXIT_SUCCESS;
	if (psu_thread_start(run, &words, NULL, &thread) != 0 ||
		psu_thread_join(thread, &result, NULL) != 0)
		return EXIT_FAILURE;
	return result ? EXIT_FAILURE : EXIT_SUCCESS;
}
