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
#include <cstdlib>
#include <new>

#if __cplusplus >= 201703L
#include <memory_resource>
#endif

namespace psu_thread
{

/** Returns @block, or throws std::bad_alloc where there are exceptions. */
inline void *check(void *block)
{
#ifdef __cpp_exceptions
	if (!block)
		throw std::bad_alloc();
#else
	if (!block)
		std::abort();
#endif
	return block;
}

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
		return static_cast<T *>(check(block));
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
/** The same as a memory resource: psu_thread::resource(). */
class heap_resource final : public std::pmr::memory_resource
{
	void *do_allocate(std::size_t len, std::size_t alignment) override
	{
		return alignment <= 16
				   ? check(psu_thread_malloc(len))
				   : check(psu_thread_aligned_alloc(alignment, len));
	}

	void do_deallocate(void *block, std::size_t, std::size_t) override
	{
		psu_thread_free(block);
	}

	bool
	do_is_equal(const std::pmr::memory_resource &other) const noexcept override
	{
		return this == &other;
	}
};

/** The one of this program, at the same address on every host.  It is there
 * before main, and as long as any thread. */
inline std::pmr::memory_resource *resource() noexcept
{
	static union place {
		heap_resource it;

		constexpr place() : it()
		{
		}
		~place()
		{
		}
	} only;

	return &only.it;
}
#endif

} // namespace psu_thread

#endif
