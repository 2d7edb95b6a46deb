/* SPDX-License-Identifier: ISC */
/*
 * heap_containers.cc - strings, vectors and maps of the thread's own heap
 */
#include "travel.h"

#include <psu_thread.hpp>

#include <map>
#include <memory_resource>
#include <string>
#include <vector>

template <typename T> using allocator = psu_thread::allocator<T>;
using string = std::basic_string<char, std::char_traits<char>, allocator<char>>;
using map = std::map<string, int, std::less<string>,
					 allocator<std::pair<const string, int>>>;

struct alignas(64) wide {
	int number;
};

/** Longer than a string keeps in itself. */
static string name_of(int number)
{
	string name("a name that is long enough to lie somewhere else, number ");

	name += std::to_string(number).c_str();
	return name;
}

int travel(void)
{
	std::vector<int, allocator<int>> numbers;
	std::vector<wide, allocator<wide>> wides(10);
	std::pmr::vector<std::pmr::string> texts(psu_thread::resource());
	map by_name;

	for (int i = 0; i < 1000; i++) {
		numbers.push_back(i);
		by_name[name_of(i)] = i;
		texts.emplace_back(
			"a text of the same kind, and as long as the others");
	}
	wides[9].number = 9;
	try {
		numbers.reserve(SIZE_MAX / 64);
		CHECK(false);
	} catch (const std::exception &) {
	}

	MOVE();

	for (int i = 0; i < 1000; i++) {
		CHECK(numbers[(size_t)i] == i);
		CHECK(by_name[name_of(i)] == i);
		CHECK(texts[(size_t)i].size() == 50);
	}
	CHECK((uintptr_t)&wides[0] % 64 == 0 && wides[9].number == 9);
	by_name.erase(name_of(500));
	numbers.resize(100000, 7);
	texts.clear();
	texts.shrink_to_fit();

	MOVE();

	CHECK(by_name.size() == 999 && numbers.back() == 7);
	return 0;
}
