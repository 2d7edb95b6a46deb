/* SPDX-License-Identifier: ISC */
/*
 * cable.c - two hosts in network namespaces, joined by a cable of our own
 */
#include "cable.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

/** So much goes in one packet that a message is one. */
#define MTU 65000

static bool set_address(struct ifreq *request, int fd, unsigned long what,
						const char *text)
{
	struct sockaddr_in address = {.sin_family = AF_INET};

	inet_pton(AF_INET, text, &address.sin_addr);
	__builtin_memcpy(&request->ifr_addr, &address, sizeof(address));
	return ioctl(fd, what, request) == 0;
}

static bool set_up(const char *name)
{
	struct ifreq request = {.ifr_flags = IFF_UP | IFF_RUNNING};
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	bool good;

	snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", name);
	good = ioctl(fd, SIOCSIFFLAGS, &request) == 0;
	close(fd);
	return good;
}

/** The end of the cable in the namespace that this process is in. */
static int plug_in(const char *address)
{
	struct ifreq request = {.ifr_flags = IFF_TUN | IFF_NO_PI};
	int tun_fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC | O_NONBLOCK);
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	bool good;

	snprintf(request.ifr_name, sizeof(request.ifr_name), "psu");
	good = tun_fd >= 0 && fd >= 0 && ioctl(tun_fd, TUNSETIFF, &request) == 0 &&
		   set_address(&request, fd, SIOCSIFADDR, address) &&
		   set_address(&request, fd, SIOCSIFNETMASK, "255.255.255.0");
	request.ifr_mtu = MTU;
	good = good && ioctl(fd, SIOCSIFMTU, &request) == 0 && set_up("psu") &&
		   set_up("lo");
	close(fd);
	if (good)
		return tun_fd;
	close(tun_fd);
	return -1;
}

bool cable_open(struct cable *cable)
{
	static const char *const addresses[] = {CABLE_ADDRESS_0, CABLE_ADDRESS_1};
	int own_fd = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);

	*cable = (struct cable){.ns_fds = {-1, -1}, .tun_fds = {-1, -1}};
	for (int end = 0; end < 2; end++) {
		if (unshare(CLONE_NEWNET) != 0)
			return false;
		cable->ns_fds[end] = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
		cable->tun_fds[end] = plug_in(addresses[end]);
		if (cable->tun_fds[end] < 0)
			return false;
	}
	return setns(own_fd, CLONE_NEWNET) == 0 && close(own_fd) == 0;
}

void cable_close(struct cable *cable)
{
	for (int end = 0; end < 2; end++) {
		close(cable->ns_fds[end]);
		close(cable->tun_fds[end]);
	}
}

void cable_prepare(const struct cable *cable, struct pollfd fds[2])
{
	for (int end = 0; end < 2; end++)
		fds[end] = (struct pollfd){cable->tun_fds[end], POLLIN, 0};
}

/** Whether it is TCP over IPv4 and carries something (RFC 791, RFC 9293). */
static bool is_message(const uint8_t *packet, size_t len)
{
	size_t ip_len, tcp_len;

	if (len < 40 || packet[0] >> 4 != 4 || packet[9] != IPPROTO_TCP)
		return false;
	ip_len = (packet[0] & 15u) * 4;
	if (ip_len + 20 > len)
		return false;
	tcp_len = (size_t)(packet[ip_len + 12] >> 4) * 4;
	return len > ip_len + tcp_len;
}

static void pass_on(struct cable *cable, int from)
{
	uint8_t packet[MTU + 536];
	ssize_t len;

	while ((len = read(cable->tun_fds[from], packet, sizeof(packet))) > 0) {
		if (is_message(packet, (size_t)len) &&
			++cable->messages == cable->cut_at)
			cable->is_cut = true;
		if (cable->is_cut && cable->cuts_from[from])
			continue;
		/* a full queue drops it, as a cable would */
		if (write(cable->tun_fds[1 - from], packet, (size_t)len) < 0)
			continue;
	}
}

void cable_work(struct cable *cable)
{
	pass_on(cable, 0);
	pass_on(cable, 1);
}

void cable_mend(struct cable *cable)
{
	cable->is_cut = false;
	cable->cut_at = 0;
}
