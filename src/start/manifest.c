/* SPDX-License-Identifier: ISC */
/*
 * manifest.c - list the program's objects, as the loader reports them
 *
 * The vDSO is the kernel's and no part of the program.  What is hashed is
 * what is mapped without write permission: code and constants.
 */
#include "start/manifest.h"
#include "bytes/sha256.h"
#include "start/isa.h"
#include "start/manifest_choices.h"
#include "state/state.h"

#include <elf.h>
#include <link.h>
#include <stdbool.h>
#include <string.h>
#include <sys/auxv.h>
#include <unistd.h>

/** In the archive alone, and linked only because the linker is told to. */
extern const char psu_thread_entry[] __attribute__((weak));

/** False if there is no room for it: what is not listed is not hashed. */
static bool take_segment(struct psu_object *object, const ElfW(Phdr) * header,
						 uint64_t load_addr)
{
	uint64_t start = load_addr + header->p_vaddr;
	uint64_t end = start + header->p_memsz;

	if (!object->end_addr || start < object->first_addr)
		object->first_addr = start;
	if (end > object->end_addr)
		object->end_addr = end;
	if (header->p_flags & PF_W || !header->p_memsz)
		return true;
	if (object->segment_count == PSU_SEGMENTS_MAX)
		return false;
	object->segments[object->segment_count++] = (struct psu_segment){
		.start = start,
		.end = end,
		.executable = header->p_flags & PF_X,
	};
	return true;
}

/** Find the GNU build-id among the notes of one PT_NOTE segment. */
static void take_build_id(struct psu_object *object, const char *notes,
						  size_t len)
{
	while (len >= sizeof(ElfW(Nhdr))) {
		const ElfW(Nhdr) *note = (const void *)notes;
		size_t name_len = (note->n_namesz + 3u) & ~(size_t)3;
		size_t used = sizeof(*note) + name_len +
					  ((note->n_descsz + 3u) & ~(size_t)3);

		if (used > len)
			return;
		if (note->n_type == NT_GNU_BUILD_ID && note->n_namesz == 4 &&
			memcmp(notes + sizeof(*note), "GNU", 4) == 0 &&
			note->n_descsz <= PSU_BUILD_ID_LEN)
			memcpy(object->build_id, notes + sizeof(*note) + name_len,
				   note->n_descsz);
		notes += used;
		len -= used;
	}
}

static void take_name(struct psu_object *object, const char *path)
{
	char link[4096];
	ssize_t len;

	/* the executable's own entry has no name */
	if (!*path) {
		len = readlink("/proc/self/exe", link, sizeof(link) - 1);
		link[len > 0 ? len : 0] = '\0';
		path = link;
	}
	if (strrchr(path, '/'))
		path = strrchr(path, '/') + 1;
	memcpy(object->name, path, strnlen(path, sizeof(object->name) - 1));
}

/** In a thread of the program's start: its block lies below the thread
 * pointer (psABI §3.4.6, "TLS variant II"). */
static void take_locals(struct psu_object *object, const ElfW(Phdr) * header,
						const struct dl_phdr_info *info)
{
	object->tls_len = header->p_memsz;
	object->tls_data_len = header->p_filesz;
	if (info->dlpi_tls_data)
		object->tls_offset = (uint64_t)(psu_state_thread_pointer() -
										(char *)info->dlpi_tls_data);
}

static bool take_headers(struct psu_manifest *manifest,
						 struct psu_object *object,
						 const struct dl_phdr_info *info)
{
	for (size_t i = 0; i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *header = &info->dlpi_phdr[i];
		uint64_t addr = info->dlpi_addr + header->p_vaddr;

		switch (header->p_type) {
		case PT_LOAD:
			if (!take_segment(object, header, info->dlpi_addr))
				return false;
			break;
		case PT_NOTE:
			take_build_id(object, (const char *)addr, header->p_memsz);
			break;
		case PT_TLS:
			take_locals(object, header, info);
			break;
		case PT_GNU_PROPERTY:
			manifest->isa_needed |= psu_isa_needed((const void *)addr,
												   header->p_memsz);
			break;
		case PT_DYNAMIC:
			object->choices = psu_manifest_choices((const void *)addr,
												   info->dlpi_addr);
			break;
		case PT_GNU_EH_FRAME:
			object->unwind_table_addr = addr;
			object->unwind_table_len = header->p_memsz;
			break;
		default:
			break;
		}
	}
	return true;
}

/** Where the code begins that is not the program's own. */
static uint64_t find_foreign(const struct psu_object *object, bool executable)
{
	if (!executable && psu_manifest_is_system(object->name))
		return 0;
	return psu_manifest_holds(object, psu_state_text_end)
			   ? (uint64_t)psu_state_text_end
			   : UINT64_MAX;
}

static int take_object(struct dl_phdr_info *info, size_t len, void *context)
{
	struct psu_manifest *manifest = context;
	struct psu_object *object = &manifest->objects[manifest->count];
	uint64_t vdso = getauxval(AT_SYSINFO_EHDR);

	(void)len;
	manifest->load_count = info->dlpi_adds;
	if (manifest->count == PSU_OBJECTS_MAX ||
		!take_headers(manifest, object, info))
		return -1;
	if (vdso && object->first_addr <= vdso && vdso < object->end_addr) {
		memset(object, 0, sizeof(*object));
		return 0;
	}
	take_name(object, info->dlpi_name);
	object->load_addr = info->dlpi_addr;
	object->foreign_addr = find_foreign(object, manifest->count == 0);
	manifest->count++;
	return 0;
}

bool psu_manifest_is_static(void)
{
	return psu_thread_entry != NULL;
}

bool psu_manifest_holds(const struct psu_object *object, const void *addr)
{
	return (uint64_t)addr >= object->first_addr &&
		   (uint64_t)addr < object->end_addr;
}

static void digest_object(struct psu_object *object)
{
	struct psu_sha256 hash;

	psu_sha256_init(&hash);
	for (size_t i = 0; i < object->segment_count; i++)
		psu_sha256_update(&hash, (const void *)object->segments[i].start,
						  object->segments[i].end - object->segments[i].start);
	psu_sha256_final(&hash, &object->digest);
}

static int list_objects(struct psu_manifest *manifest)
{
	memset(manifest, 0, sizeof(*manifest));
	if (dl_iterate_phdr(take_object, manifest) != 0)
		return psu_error_set(PSU_THREAD_E_SYSTEM,
							 "this program consists of more than %d objects, "
							 "or one of them of more than %d segments: link it "
							 "statically, without a linker script",
							 PSU_OBJECTS_MAX, PSU_SEGMENTS_MAX);
	return 0;
}

int psu_manifest_make(struct psu_manifest *manifest_out)
{
	uint8_t encoded[PSU_MANIFEST_LEN_MAX];
	size_t len;
	int rc = list_objects(manifest_out);

	if (rc)
		return rc;
	for (size_t i = 0; i < manifest_out->count; i++)
		digest_object(&manifest_out->objects[i]);
	len = psu_manifest_encode(manifest_out, encoded);
	/* what the executable's file is called makes no difference */
	memset(encoded + 4, 0, PSU_OBJECT_NAME_LEN);
	psu_sha256(encoded, len, &manifest_out->digest);
	return 0;
}

int psu_manifest_program_digest(struct psu_digest *digest_out)
{
	struct psu_manifest manifest;
	int rc = list_objects(&manifest);

	if (rc)
		return rc;
	digest_object(&manifest.objects[0]);
	*digest_out = manifest.objects[0].digest;
	return 0;
}
