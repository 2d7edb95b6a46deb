// SPDX-License-Identifier: ISC
//
// route_cxx.cc - C++ containers that know nothing of psu_thread
//
#include "route.h"

#include <functional>
#include <map>
#include <memory>
#include <sstream>
#include <string>
#include <vector>

namespace
{
struct words {
	std::map<std::string, std::vector<std::string>> lists;
	std::function<std::size_t()> count;
	std::shared_ptr<words> other;
};

std::string number(const char *what, int value)
{
	std::ostringstream text;

	text << what << " that is long enough to be allocated, " << value;
	return text.str();
}

void fill(words &all, int first)
{
	for (int i = first; i < first + 1000; i++)
		all.lists[number("list", i % 10)].push_back(number("word", i));
}

bool is_whole(const words &all, int count)
{
	for (int i = 0; i < count; i++) {
		auto at = all.lists.find(number("list", i % 10));

		if (at == all.lists.end() || at->second[i / 10] != number("word", i))
			return false;
	}
	return all.lists.size() == 10;
}

void containers()
{
	auto all = std::make_shared<words>();
	const words *before = all.get();

	all->count = [all, padding = std::vector<int>(100)] {
		return all->lists.size() + padding.size();
	};
	fill(*all, 0);
	CHECK(route_in_slot(before));
	CHECK(route_in_slot(all->lists.begin()->second.data()));
	route_go();
	CHECK(is_whole(*all, 1000));
	fill(*all, 1000);
	route_go_home();
	CHECK(all.get() == before && is_whole(*all, 2000));
	CHECK(all->count() == 110);
	all->count = nullptr;
	CHECK(all.use_count() == 1);
}

// Between the moves: its memory is the thread's.
void exceptions()
{
	for (int i = 0; i < 3; i++) {
		try {
			throw std::string(number("thrown", i));
		} catch (const std::string &text) {
			CHECK(route_in_slot(&text) && text == number("thrown", i));
		}
		if (i == 0)
			route_go();
	}
}
} // namespace

void route_prepare()
{
}

const struct route_task route_tasks[] = {
	{"containers", containers},
	{"exceptions", exceptions},
	{nullptr, nullptr},
};
