/* SPDX-License-Identifier: ISC */
/*
 * tell.c - words for a finding: where it is, what it points to, what to do
 *
 * Functions and thread-locals are named if their file has a symbol table.
 */
#include "preflight/preflight.h"
#include "start/symbols.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/** Names are cut so that what follows them is still told. */
#define NAME_MAX_LEN 64

/** "walk_tree+0x31", or "program+0x1234" without symbols.
 * @value  what the object's file calls it; @type  STT_* */
static void name_place(const struct psu_object *object,
					   const struct psu_mappings *mappings, unsigned char type,
					   uint64_t value, char name_out[NAME_MAX_LEN + 32])
{
	const struct psu_mapping *mapping = NULL;
	const char *name = object->name, *symbol;
	struct psu_symbols symbols = {.bytes = NULL};
	uint64_t offset = value;

	if (object->segment_count)
		mapping = psu_mappings_find(mappings, object->segments[0].start);
	if (mapping && psu_symbols_open(mapping->path, &symbols)) {
		symbol = psu_symbols_find(&symbols, type, value, &offset);
		if (symbol)
			name = symbol;
	}
	snprintf(name_out, NAME_MAX_LEN + 32, "%.*s+0x%" PRIx64, NAME_MAX_LEN, name,
			 offset);
	if (symbols.bytes)
		psu_symbols_close(&symbols);
}

static void tell_frame(const struct psu_preflight_thread *thread,
					   const struct psu_mappings *mappings,
					   const struct psu_word *word, char *text_out, size_t room)
{
	const struct psu_frame *frame = &thread->chain->frames[word->frame];
	char name[NAME_MAX_LEN + 32];

	name_place(&thread->manifest->objects[frame->object], mappings, STT_FUNC,
			   frame->return_offset, name);
	snprintf(text_out, room, "frame %zu, %s, at +0x%" PRIx64, word->frame, name,
			 word->addr - word->frame_addr);
}

static void tell_local(const struct psu_preflight_thread *thread,
					   const struct psu_mappings *mappings,
					   const struct psu_word *word, char *text_out, size_t room)
{
	uint64_t below = (uint64_t)psu_state_thread_pointer() - word->addr;
	char name[NAME_MAX_LEN + 32] = "?";

	for (size_t i = 0; i < thread->manifest->count; i++) {
		const struct psu_object *object = &thread->manifest->objects[i];

		if (object->tls_offset - below < object->tls_len)
			name_place(object, mappings, STT_TLS, object->tls_offset - below,
					   name);
	}
	snprintf(text_out, room, "thread-local %s", name);
}

static void tell_where(const struct psu_preflight_thread *thread,
					   const struct psu_mappings *mappings,
					   const struct psu_word *word, char *text_out, size_t room)
{
	switch (word->place) {
	case PSU_THREAD_FOUND_STACK:
		tell_frame(thread, mappings, word, text_out, room);
		break;
	case PSU_THREAD_FOUND_REGISTER:
		snprintf(text_out, room, "register %s", word->name);
		break;
	case PSU_THREAD_FOUND_THREAD_LOCAL:
		tell_local(thread, mappings, word, text_out, room);
		break;
	default:
		snprintf(
			text_out, room,
			"heap block of %" PRIu64 " bytes at 0x%" PRIx64 ", at +0x%" PRIx64,
			word->block.len, word->block.addr, word->addr - word->block.addr);
	}
}

static void tell_what(const struct psu_verdict *verdict, char *text_out,
					  size_t room)
{
	const struct psu_mapping *mapping = verdict->mapping;

	switch (verdict->stay) {
	case PSU_STAY_HEAP:
		snprintf(text_out, room,
				 "libc's heap (a block of %" PRIu64 " bytes at 0x%" PRIx64 ")",
				 verdict->block.len, verdict->block.addr);
		break;
	case PSU_STAY_STACK:
		if (verdict->tid == getpid())
			snprintf(text_out, room, "the main thread's stack");
		else
			snprintf(text_out, room, "the stack of another thread (number %d)",
					 (int)verdict->tid);
		break;
	case PSU_STAY_SLOT:
		snprintf(text_out, room, "the slot of another migratable thread");
		break;
	case PSU_STAY_FILE:
		snprintf(text_out, room, "the mapping %.*s", (int)room - 16,
				 mapping->path);
		break;
	default:
		snprintf(text_out, room,
				 "an anonymous mapping (%" PRIu64 " bytes at 0x%" PRIx64 ")",
				 mapping->end - mapping->start, mapping->start);
	}
}

static const char *find_remedy(enum psu_stay stay)
{
	switch (stay) {
	case PSU_STAY_HEAP:
		return "allocate it with psu_thread_malloc()";
	case PSU_STAY_STACK:
		return "copy what it points to into a local or the thread's heap";
	case PSU_STAY_SLOT:
		return "give each thread a copy of its own";
	case PSU_STAY_FILE:
		return "map it anew after the move, or link the program with it";
	default:
		return "use psu_thread_malloc(), or map it anew after the move";
	}
}

void psu_tell_finding(const struct psu_preflight_thread *thread,
					  const struct psu_mappings *mappings,
					  const struct psu_word *word,
					  const struct psu_verdict *verdict,
					  struct psu_thread_finding *finding_out)
{
	finding_out->place = word->place;
	finding_out->addr = word->addr;
	finding_out->value = word->value;
	tell_where(thread, mappings, word, finding_out->where,
			   sizeof(finding_out->where));
	tell_what(verdict, finding_out->what, sizeof(finding_out->what));
	snprintf(finding_out->remedy, sizeof(finding_out->remedy), "%s",
			 find_remedy(verdict->stay));
}
