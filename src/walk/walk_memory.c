/* SPDX-License-Identifier: ISC */
/*
 * walk_memory.c - the unwinder's accessors, bounded
 *
 * In: addresses that libunwind computed from hostile bytes.  Out: aligned
 * words of the walked stack and of the program's non-writable segments, the
 * kept registers, and unwind tables.  Everything else is refused, and never
 * with UNW_ENOINFO: that code makes libunwind guess by frame pointers.
 */
#include "walk/walk_memory.h"

#include <pthread.h>
#include <string.h>

#define WORD_LEN sizeof(unw_word_t)

/* libunwind keeps this call for its own front ends (perf uses it likewise):
 * find @ip in a binary-search table that lies in @space. */
int UNW_OBJ(dwarf_search_unwind_table)(unw_addr_space_t space, unw_word_t ip,
									   unw_dyn_info_t *table,
									   unw_proc_info_t *info_out,
									   int need_unwind_info, void *context);

/** .eh_frame_hdr with the only encoding that linkers write for x86-64 (LSB
 * Core, "The .eh_frame_hdr section"). */
struct table_header {
	uint8_t version;		   /* 1 */
	uint8_t frame_pointer_enc; /* 0x1b: relative to itself, 32 bits */
	uint8_t count_enc;		   /* 0x03: 32 bits */
	uint8_t entry_enc;		   /* 0x3b: relative to this header, 32 bits */
	uint32_t frame_pointer;
	uint32_t count;
};

/** Two 32-bit offsets: function and its frame description. */
#define TABLE_ENTRY_LEN 8

bool psu_walk_find_code(const struct psu_manifest *manifest, uint64_t addr,
						struct psu_walk_place *place_out)
{
	for (size_t i = 0; i < manifest->count; i++) {
		const struct psu_object *object = &manifest->objects[i];

		for (size_t j = 0; j < object->segment_count; j++) {
			const struct psu_segment *segment = &object->segments[j];

			if (segment->executable && addr >= segment->start &&
				addr < segment->end) {
				*place_out = (struct psu_walk_place){i, segment};
				return true;
			}
		}
	}
	return false;
}

/** Whether a byte of the aligned word at @addr lies in a segment; the others
 * lie on the same page, which is mapped as a whole. */
static bool in_segments(const struct psu_manifest *manifest, uint64_t addr)
{
	for (size_t i = 0; i < manifest->count; i++) {
		const struct psu_object *object = &manifest->objects[i];

		for (size_t j = 0; j < object->segment_count; j++)
			if (addr + WORD_LEN > object->segments[j].start &&
				addr < object->segments[j].end)
				return true;
	}
	return false;
}

static bool in_objects(const struct psu_manifest *manifest, uint64_t addr)
{
	for (size_t i = 0; i < manifest->count; i++)
		if (addr >= manifest->objects[i].first_addr &&
			addr < manifest->objects[i].end_addr)
			return true;
	return false;
}

static int access_mem(unw_addr_space_t space, unw_word_t addr, unw_word_t *word,
					  int write, void *context)
{
	const struct psu_walk_memory *memory = context;
	bool in_stack = addr >= memory->bounds.low && addr < memory->bounds.high;

	(void)space;
	/* aligned to 8, as the bounds are: a word never straddles them */
	if (write || addr % WORD_LEN != 0)
		return -UNW_EINVAL;
	if (in_stack || in_segments(memory->manifest, addr)) {
		memcpy(word, (const void *)addr, WORD_LEN);
		return 0;
	}
	/* position-independent code keeps the pointer to its personality, which
	 * libunwind asks for and nobody here calls, in writable memory */
	if (memory->in_tables && in_objects(memory->manifest, addr)) {
		*word = 0;
		return 0;
	}
	return -UNW_EINVAL;
}

/** The walk begins at psu_state_resume_point, with the kept registers: that
 * is where a thread with them goes on. */
static int access_reg(unw_addr_space_t space, unw_regnum_t number,
					  unw_word_t *word, int write, void *context)
{
	const struct psu_walk_memory *memory = context;
	const struct psu_registers *registers = memory->registers;

	(void)space;
	if (write)
		return -UNW_EREADONLYREG;
	switch (number) {
	case UNW_X86_64_RBX:
		*word = registers->rbx;
		return 0;
	case UNW_X86_64_RBP:
		*word = registers->rbp;
		return 0;
	case UNW_X86_64_RSP:
		*word = registers->rsp;
		return 0;
	case UNW_X86_64_R12:
		*word = registers->r12;
		return 0;
	case UNW_X86_64_R13:
		*word = registers->r13;
		return 0;
	case UNW_X86_64_R14:
		*word = registers->r14;
		return 0;
	case UNW_X86_64_R15:
		*word = registers->r15;
		return 0;
	case UNW_X86_64_RIP:
		*word = (unw_word_t)psu_state_resume_point;
		return 0;
	default:
		return -UNW_EBADREG;
	}
}

/** Describe an object's table to libunwind; false if it has none. */
static bool describe_table(const struct psu_object *object,
						   unw_dyn_info_t *table_out)
{
	struct table_header header;

	if (object->unwind_table_len < sizeof(header))
		return false;
	memcpy(&header, (const void *)object->unwind_table_addr, sizeof(header));
	if (header.version != 1 || header.frame_pointer_enc != 0x1b ||
		header.count_enc != 0x03 || header.entry_enc != 0x3b ||
		header.count >
			(object->unwind_table_len - sizeof(header)) / TABLE_ENTRY_LEN)
		return false;
	memset(table_out, 0, sizeof(*table_out));
	table_out->format = UNW_INFO_FORMAT_REMOTE_TABLE;
	table_out->start_ip = object->first_addr;
	table_out->end_ip = object->end_addr;
	table_out->u.rti.segbase = object->unwind_table_addr;
	table_out->u.rti.table_data = object->unwind_table_addr + sizeof(header);
	table_out->u.rti.table_len = header.count * TABLE_ENTRY_LEN / WORD_LEN;
	return true;
}

static int find_proc_info(unw_addr_space_t space, unw_word_t ip,
						  unw_proc_info_t *info, int need_unwind_info,
						  void *context)
{
	struct psu_walk_memory *memory = context;
	struct psu_walk_place place;
	unw_dyn_info_t table;
	int rc;

	if (!psu_walk_find_code(memory->manifest, ip, &place) ||
		!describe_table(&memory->manifest->objects[place.object], &table))
		return -UNW_EINVALIDIP;
	memory->in_tables = true;
	rc = UNW_OBJ(dwarf_search_unwind_table)(space, ip, &table, info,
											need_unwind_info, context);
	memory->in_tables = false;
	return rc < 0 ? -UNW_EINVALIDIP : 0;
}

static void put_unwind_info(unw_addr_space_t space, unw_proc_info_t *info,
							void *context)
{
	(void)space;
	(void)info;
	(void)context;
}

/** No code is made at run time; here the code is UNW_ENOINFO by contract. */
static int no_dynamic_tables(unw_addr_space_t space, unw_word_t *list_addr,
							 void *context)
{
	(void)space;
	(void)list_addr;
	(void)context;
	return -UNW_ENOINFO;
}

static int access_fpreg(unw_addr_space_t space, unw_regnum_t number,
						unw_fpreg_t *value, int write, void *context)
{
	(void)space;
	(void)number;
	(void)value;
	(void)write;
	(void)context;
	return -UNW_EBADREG;
}

static int resume(unw_addr_space_t space, unw_cursor_t *cursor, void *context)
{
	(void)space;
	(void)cursor;
	(void)context;
	return -UNW_EINVAL;
}

static int get_proc_name(unw_addr_space_t space, unw_word_t addr, char *name,
						 size_t name_len, unw_word_t *offset, void *context)
{
	(void)space;
	(void)addr;
	(void)name;
	(void)name_len;
	(void)offset;
	(void)context;
	return -UNW_EINVAL;
}

unw_addr_space_t psu_walk_address_space(void)
{
	static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
	static unw_addr_space_t address_space;
	unw_accessors_t accessors = {
		.find_proc_info = find_proc_info,
		.put_unwind_info = put_unwind_info,
		.get_dyn_info_list_addr = no_dynamic_tables,
		.access_mem = access_mem,
		.access_reg = access_reg,
		.access_fpreg = access_fpreg,
		.resume = resume,
		.get_proc_name = get_proc_name,
	};
	unw_addr_space_t result;

	/* the cache holds what the tables say of each return address, which is
	 * the same in every walk; libunwind guards it with a lock of its own */
	pthread_mutex_lock(&lock);
	if (!address_space) {
		address_space = unw_create_addr_space(&accessors, 0);
		if (address_space)
			unw_set_caching_policy(address_space, UNW_CACHE_GLOBAL);
	}
	result = address_space;
	pthread_mutex_unlock(&lock);
	return result;
}
