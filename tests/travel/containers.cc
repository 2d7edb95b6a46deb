/* SPDX-License-Identifier: ISC */
/*
 * containers.cc - standard types that keep what they hold in themselves:
 * array, short string, view, optional, variant, tuple; std::sort on the stack
 * with the move in a comparison
 */
#include "travel.h"

#include <algorithm>
#include <array>
#include <numeric>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <variant>

#define COUNT 200

static thread_local int comparisons; /* travel */
static thread_local int move_at;	 /* 0: never */

static bool compare(int a, int b)
{
	if (++comparisons == move_at)
		MOVE();
	return a < b;
}

static NOINLINE void sort_on_the_way(void)
{
	std::array<int, COUNT> shuffled, sorted;
	int needed;

	for (int i = 0; i < COUNT; i++)
		shuffled[static_cast<size_t>(i)] = (i * 77 + 13) % COUNT;
	sorted = shuffled;
	comparisons = move_at = 0;
	std::sort(sorted.begin(), sorted.end(), compare);
	needed = comparisons;

	sorted = shuffled;
	comparisons = 0;
	move_at = needed / 2;
	std::sort(sorted.begin(), sorted.end(), compare);
	CHECK(comparisons == needed);
	for (int i = 0; i < COUNT; i++)
		CHECK(sorted[static_cast<size_t>(i)] == i);
	CHECK(std::accumulate(sorted.begin(), sorted.end(), 0) ==
		  COUNT * (COUNT - 1) / 2);
}

int travel(void)
{
	std::string text = "fifteen letters";
	std::string_view view = std::string_view(text).substr(8);
	std::optional<int> something = 5, nothing;
	std::variant<int, double, std::string_view> either = view;
	std::tuple<int, char, std::string> several(1, 'x', "short");

	sort_on_the_way();
	MOVE();
	CHECK(text == "fifteen letters" && view == "letters");
	text[8] = 'L';
	CHECK(std::get<std::string_view>(either) == "Letters");
	CHECK(something == 5 && !nothing);
	CHECK(std::get<2>(several) == "short" && std::get<1>(several) == 'x');
	try {
		(void)std::get<double>(either);
		return 1;
	} catch (const std::bad_variant_access &) {
	}
	return 0;
}
