/* SPDX-License-Identifier: ISC */
/*
 * heap_vectors.cc - vectors that grow between moves, of things that own memory
 *
 * Each growth makes a new block over there, and moves what came from here.
 */
#include "travel.h"

#include <psu_thread.hpp>

#include <algorithm>
#include <deque>
#include <string>
#include <vector>

template <typename T> using allocator = psu_thread::allocator<T>;
template <typename T> using vector = std::vector<T, allocator<T>>;
using string = std::basic_string<char, std::char_traits<char>, allocator<char>>;

static const int rounds = 6;
static const size_t growth = 500;

static string text_of(size_t number)
{
	return string(1 + number % 90, static_cast<char>('a' + number % 26));
}

static void check(const vector<vector<string>> &rows)
{
	for (size_t row = 0; row < rows.size(); row++)
		for (size_t at = 0; at < rows[row].size(); at++)
			CHECK(rows[row][at] == text_of(row + at));
}

int travel(void)
{
	vector<vector<string>> rows;
	std::deque<size_t, allocator<size_t>> queue;
	vector<size_t> large;

	for (int round = 0; round < rounds; round++) {
		for (size_t i = 0; i < growth; i++) {
			queue.push_back(queue.size());
			if (i % 50 == 0)
				rows.emplace_back();
			for (auto &row : rows)
				if (row.size() < 40)
					row.push_back(text_of(static_cast<size_t>(&row - &rows[0]) +
										  row.size()));
		}
		large.resize(large.size() * 4 + 1000, large.size());

		MOVE();

		check(rows);
		CHECK(queue.size() == growth * static_cast<size_t>(round + 1));
		for (size_t i = 0; i < queue.size(); i++)
			CHECK(queue[i] == i);
		CHECK(std::is_sorted(large.begin(), large.end()));
	}
	std::sort(large.begin(), large.end(), std::greater<size_t>());
	rows.erase(rows.begin() + 1, rows.end());
	rows.shrink_to_fit();

	MOVE();

	check(rows);
	CHECK(rows.size() == 1 && large.front() > large.back());
	return 0;
}
