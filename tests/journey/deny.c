/* SPDX-License-Identifier: ISC */
/*
 * deny.c - run a program to which the kernel denies some system calls
 *
 *     deny ERROR CALL[,CALL]... COMMAND [ARGUMENT]...
 *
 * ERROR is EPERM or ENOSYS, a CALL is a row of the table.  As a container
 * does it: a seccomp filter that no exec removes.  Exit status 77: this kernel
 * takes no filter.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#define COUNT(list) (sizeof(list) / sizeof(*(list)))
#define CALLS_MAX 16

static const struct {
	const char *name;
	unsigned number;
} calls[] = {
	{"clone3", SYS_clone3},		  {"execve", SYS_execve},
	{"getrandom", SYS_getrandom}, {"memfd_create", SYS_memfd_create},
	{"mlock", SYS_mlock},		  {"personality", SYS_personality},
	{"rseq", SYS_rseq},			  {"set_robust_list", SYS_set_robust_list},
	{"socket", SYS_socket},		  {"userfaultfd", SYS_userfaultfd},
};

/** The filter: the calls one by one, then "allow", then "deny". */
static struct sock_filter filter[4 + CALLS_MAX + 2];
static unsigned short filter_len;

static void add(unsigned short code, unsigned k, unsigned char yes,
				unsigned char no)
{
	filter[filter_len++] = (struct sock_filter){code, yes, no, k};
}

static int find(const char *name, unsigned *number_out)
{
	for (size_t i = 0; i < COUNT(calls); i++)
		if (strcmp(calls[i].name, name) == 0) {
			*number_out = calls[i].number;
			return 0;
		}
	fprintf(stderr, "deny: no call '%s' in the table\n", name);
	return -1;
}

static int make_filter(char *names, unsigned error)
{
	unsigned numbers[CALLS_MAX];
	unsigned char count = 0;

	for (char *name = strtok(names, ","); name; name = strtok(NULL, ","))
		if (count == CALLS_MAX || find(name, &numbers[count++]) != 0)
			return -1;

	/* another architecture's numbers are not these */
	add(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch), 0, 0);
	add(BPF_JMP | BPF_JEQ | BPF_K, AUDIT_ARCH_X86_64, 0,
		(unsigned char)(count + 1));
	add(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr), 0, 0);
	for (unsigned char i = 0; i < count; i++)
		add(BPF_JMP | BPF_JEQ | BPF_K, numbers[i], (unsigned char)(count - i),
			0);
	add(BPF_RET | BPF_K, SECCOMP_RET_ALLOW, 0, 0);
	add(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | error, 0, 0);
	return 0;
}

/** The one exec that starts the program must be allowed: it is made by
 * execveat, which no row denies. */
static void start(char **command)
{
	syscall(SYS_execveat, AT_FDCWD, command[0], command, environ, 0);
	perror(command[0]);
}

int main(int argc, char **argv)
{
	struct sock_fprog program = {.filter = filter};
	unsigned error;

	if (argc < 4) {
		fprintf(stderr, "usage: deny ERROR CALL[,CALL]... COMMAND...\n");
		return 2;
	}
	error = strcmp(argv[1], "ENOSYS") == 0 ? ENOSYS : EPERM;
	if (make_filter(argv[2], error) != 0)
		return 2;
	program.len = filter_len;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
		prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0) {
		perror("deny: no filter");
		return 77;
	}
	start(argv + 3);
	return 2;
}
