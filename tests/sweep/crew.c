/* SPDX-License-Identifier: ISC */
/*
 * crew.c - the processes of one case
 */
#include "crew.h"

#include <dirent.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

/** In the child: its surroundings, then the program. */
static void become(const struct crew_order *order, int input_fd)
{
	char path[512];
	sigset_t none;
	int fd;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	fd = open(order->events, O_WRONLY | O_APPEND | O_CLOEXEC);
	dprintf(fd, "start %d %s\n", getpid(), order->who);
	snprintf(path, sizeof(path), "%s.%s", order->events, order->who);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	if (fd < 0 || dup2(input_fd, STDIN_FILENO) < 0 ||
		dup2(fd, STDOUT_FILENO) < 0 || dup2(fd, STDERR_FILENO) < 0 ||
		(order->ns_fd >= 0 && setns(order->ns_fd, CLONE_NEWNET) != 0))
		_exit(127);
	snprintf(path, sizeof(path), "%s.%s.port", order->events, order->who);
	setenv("PSU_THREAD_PORT_FILE", path, 1);
	setenv("PSU_THREAD_LISTEN", order->listen, 1);
	execv(order->argv[0], (char *const *)(void *)order->argv);
	_exit(127);
}

bool crew_start(struct crew_member *member, const struct crew_order *order)
{
	int fds[2];

	if (pipe2(fds, O_CLOEXEC) != 0)
		return false;
	*member = (struct crew_member){.who = order->who, .input_fd = fds[1]};
	member->pid = fork();
	if (member->pid == 0)
		become(order, fds[0]);
	close(fds[0]);
	return member->pid > 0;
}

static unsigned count_sockets(pid_t pid)
{
	char path[64], target[8];
	unsigned count = 0;
	const struct dirent *entry;
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%d/fd", pid);
	dir = opendir(path);
	while (dir && (entry = readdir(dir)))
		count += readlinkat(dirfd(dir), entry->d_name, target,
							sizeof(target)) == sizeof(target) &&
				 memcmp(target, "socket:[", sizeof(target)) == 0;
	if (dir)
		closedir(dir);
	return count;
}

void crew_is_ready(struct crew_member *member, const char *events)
{
	char path[512];
	FILE *file;

	snprintf(path, sizeof(path), "%s.%s.port", events, member->who);
	file = fopen(path, "re");
	if (file && fscanf(file, "%u", &member->port) != 1)
		member->port = 0;
	if (file)
		fclose(file);
	member->sockets = count_sockets(member->pid);
}

void crew_begin(struct crew_member *member)
{
	if (write(member->input_fd, "\n", 1) != 1)
		member->gone = true;
}

void crew_end_input(struct crew_member *member)
{
	if (member->input_fd >= 0)
		close(member->input_fd);
	member->input_fd = -1;
}

bool crew_is_at_rest(const struct crew_member *member)
{
	return !member->who || member->gone ||
		   count_sockets(member->pid) <= member->sockets;
}

void crew_kill(struct crew_member *member)
{
	if (!member->who)
		return;
	crew_end_input(member);
	if (!member->gone)
		kill(member->pid, SIGKILL);
}
