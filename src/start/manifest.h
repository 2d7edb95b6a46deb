/* SPDX-License-Identifier: ISC */
/*
 * manifest.h - which program this is: its objects, their contents and places
 *
 * A thread can only move between two processes of the same program: the same
 * objects (executable, and shared objects loaded at start), the same bytes in
 * their non-writable segments, at the same addresses.
 */
#ifndef PSU_MANIFEST_H
#define PSU_MANIFEST_H

#include "bytes/bytes.h"
#include "report/report.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PSU_OBJECTS_MAX 64
#define PSU_OBJECT_NAME_LEN 64 /* with its NUL */
#define PSU_BUILD_ID_LEN 20
#define PSU_SEGMENTS_MAX 8 /* non-writable ones of an object */

/** A mapped, non-writable part of an object. */
struct psu_segment {
	uint64_t start;
	uint64_t end;
	bool executable;
};

struct psu_object {
	char name[PSU_OBJECT_NAME_LEN]; /* the file's last component */
	uint8_t build_id[PSU_BUILD_ID_LEN];
	uint64_t load_addr;	 /* what the object's own addresses are relative to;
							0 in a no-pie executable */
	uint64_t first_addr; /* [first_addr, end_addr) spans all its segments */
	uint64_t end_addr;
	uint64_t tls_len;	 /* of its PT_TLS segment, 0 if none */
	uint64_t tls_offset; /* its block begins so far below the thread pointer */
	uint32_t choices;	 /* a digest of the variants of its functions that are
							chosen for this processor (STT_GNU_IFUNC) */
	struct psu_digest digest; /* of the non-writable segments, in order */
	/* only here, never on the wire: */
	uint64_t tls_data_len; /* the initialised part of tls_len */
	uint64_t foreign_addr; /* its code from here on is not the program's own:
							  0 in a library of the system, UINT64_MAX where
							  all is the program's */
	size_t segment_count;
	struct psu_segment segments[PSU_SEGMENTS_MAX];
	uint64_t unwind_table_addr; /* .eh_frame_hdr, 0 if none */
	uint64_t unwind_table_len;
};

struct psu_manifest {
	struct psu_digest digest; /* of the whole list, as encoded */
	size_t count;
	uint32_t isa_needed; /* by any of them: isa.h; not on the wire */
	struct psu_object objects[PSU_OBJECTS_MAX];
	uint64_t load_count; /* of objects loaded so far, as libc counts; only
							here, never on the wire */
};

/** Whether this is a static program, begun at psu_thread_entry. */
bool psu_manifest_is_static(void);

/** Whether an object of that name (a soname) is the system's: libc, the
 * loader, what this library is made of, language and sanitizer runtimes.  Its
 * thread-locals stay, and so does a thread that it has called. */
bool psu_manifest_is_system(const char *name);

/** Whether it is one of those that allocate for themselves, so that their
 * memory is the process's too: not the C++ library's. */
bool psu_manifest_keeps_memory(const char *name);

/** Whether it is one of those, of a tool that watches the program: it stands
 * before libc's functions and calls them. */
bool psu_manifest_is_watcher(const char *name);

/** Whether @addr lies in one of the object's segments. */
bool psu_manifest_holds(const struct psu_object *object, const void *addr);

/** List this process's program.  Called once, in setup.  Returns 0 or
 * PSU_THREAD_E_SYSTEM. */
PSU_MUST_CHECK int psu_manifest_make(struct psu_manifest *manifest_out);

/** SHA-256 of the executable's own non-writable segments.  Returns 0 or
 * PSU_THREAD_E_SYSTEM. */
PSU_MUST_CHECK int psu_manifest_program_digest(struct psu_digest *digest_out);

/** Bytes of one object on the wire, and of the longest list. */
#define PSU_OBJECT_LEN 160
#define PSU_MANIFEST_LEN_MAX (4 + PSU_OBJECTS_MAX * PSU_OBJECT_LEN)

/** FORMAT.md, "MANIFEST".  Returns the bytes written to @bytes_out. */
size_t psu_manifest_encode(const struct psu_manifest *manifest,
						   uint8_t bytes_out[PSU_MANIFEST_LEN_MAX]);

/** Take a peer's list apart; nothing of it is used as an address.  Returns 0
 * or PSU_THREAD_E_PROTOCOL.  Every byte read here is hostile. */
PSU_MUST_CHECK int psu_manifest_decode(const uint8_t *bytes, size_t len,
									   struct psu_manifest *manifest_out);

/**
 * Say how two lists differ.
 *
 * @peer  how to name the other host in the sentence
 *
 * Returns BINARY_MISMATCH (other contents, other objects), LAYOUT_MISMATCH
 * (another address), or 0 if they are the same.
 */
PSU_MUST_CHECK int psu_manifest_compare(const struct psu_manifest *here,
										const struct psu_manifest *there,
										const char *peer);

#endif
