/* SPDX-License-Identifier: ISC */
/*
 * psu_thread.hpp - containers of C++ in memory that travels
 *
 *     std::vector<int, psu_thread::allocator<int>> numbers;
 *     std::pmr::string text(psu_thread::resource());
 *
 * Both take memory from the heap of the thread that asks, or malloc()'s in
 * others (psu_thread_heap.h).  Nothing but this header; C++11, and C++17 for
 * the memory resource.
 */
#ifndef PSU_THREAD_HPP
#define PSU_THREAD_HPP

#include <psu_thread.h>

#include <cstddef>
#include <cstdint>
#include <new>

#if __cplusplus >= 201703L
#include <memory_resource>
#endif

namespace psu_thread
{

/** Memory for @count objects; throws std::bad_alloc. */
template <typename T> struct allocator {
	using value_type = T;

	allocator() = default;
	template <typename U> allocator(const allocator<U> &) noexcept
	{
	}

	T *allocate(std::size_t count)
	{
		void *block = nullptr;

		if (count <= SIZE_MAX / sizeof(T))
			block = alignof(T) <= 16 ? psu_thread_malloc(count * sizeof(T))
									 : psu_thread_aligned_alloc(
										   alignof(T), count * sizeof(T));
		if (!block)
			throw std::bad_alloc();
		return static_cast<T *>(block);
	}

	void deallocate(T *block, std::size_t) noexcept
	{
		psu_thread_free(block);
	}
};

template <typename T, typename U>
bool operator==(const allocator<T> &, const allocator<U> &) noexcept
{
	return true;
}

template <typename T, typename U>
bool operator!=(const allocator<T> &, const allocator<U> &) noexcept
{
	return false;
}

#if __cplusplus >= 201703L
/** The same as a memory resource.  It has no state: all are equal. */
class heap_resource final : public std::pmr::memory_resource
{
	void *do_allocate(std::size_t len, std::size_t alignment) override
	{
		void *block = alignment <= 16
						  ? psu_thread_malloc(len)
						  : psu_thread_aligned_alloc(alignment, len);

		if (!block)
			throw std::bad_alloc();
		return block;
	}

	void do_deallocate(void *block, std::size_t, std::size_t) override
	{
		psu_thread_free(block);
	}

	bool
	do_is_equal(const std::pmr::memory_resource &other) const noexcept override
	{
		return dynamic_cast<const heap_resource *>(&other) != nullptr;
	}
};

/** The one of this program, at the same address on every host. */
inline std::pmr::memory_resource *resource() noexcept
{
	static heap_resource it;

	return &it;
}
#endif

} // namespace psu_thread

#endif
