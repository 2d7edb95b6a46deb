/* SPDX-License-Identifier: ISC */
/*
 * names.h - the travel tests, one a file; travel.h says what each is about
 *
 * Those in C make one program, those in C++ another, for which list.c is
 * compiled with TRAVEL_CXX.
 */
#ifndef PSU_TRAVEL_NAMES_H
#define PSU_TRAVEL_NAMES_H

#ifndef TRAVEL_CXX
#define TRAVEL_TESTS(X)                                                        \
	X(alignment)                                                               \
	X(alloca)                                                                  \
	X(avx)                                                                     \
	X(bit_fields)                                                              \
	X(bsearch_callback)                                                        \
	X(callee_saved)                                                            \
	X(cancel_self)                                                             \
	X(cancel_state)                                                            \
	X(cleanup)                                                                 \
	X(deep_recursion)                                                          \
	X(errno_value)                                                             \
	X(exit_atexit)                                                             \
	X(floating_point)                                                          \
	X(fp_environment)                                                          \
	X(globals_stay)                                                            \
	X(heap_blocks)                                                             \
	X(heap_lists)                                                              \
	X(heap_qsort)                                                              \
	X(heap_stays)                                                              \
	X(heap_vector)                                                             \
	X(hops)                                                                    \
	X(int128)                                                                  \
	X(label_address)                                                           \
	X(list_in_frames)                                                          \
	X(literals)                                                                \
	X(longjmp)                                                                 \
	X(many_hops)                                                               \
	X(pointers)                                                                \
	X(pthread_exit)                                                            \
	X(qsort_callback)                                                          \
	X(scratch)                                                                 \
	X(self)                                                                    \
	X(siglongjmp)                                                              \
	X(signal_mask)                                                             \
	X(stdout_pointer)                                                          \
	X(struct_by_value)                                                         \
	X(thread_local)                                                            \
	X(thread_name)                                                             \
	X(varargs)                                                                 \
	X(vla)
#else
#define TRAVEL_TESTS(X)                                                        \
	X(containers)                                                              \
	X(destructors)                                                             \
	X(dynamic_type)                                                            \
	X(exit_thread_local)                                                       \
	X(forced_unwind)                                                           \
	X(function_objects)                                                        \
	X(heap_containers)                                                         \
	X(heap_vectors)                                                            \
	X(thread_local_object)                                                     \
	X(throw_again)                                                             \
	X(throw_later)                                                             \
	X(unwinder)                                                                \
	X(virtual_calls)
#endif

#endif
