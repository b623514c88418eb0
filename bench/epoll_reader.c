// epoll_reader: the cheapest client that one can write for a scripted server (internal/scripted), as the yardstick of
// bench/compare. One thread, one epoll set, N connections opened at once, SSE events found by their blank line.
// It prints what it cost and writes every event's arrival: kernel receive stamps (SO_TIMESTAMPNS), or the clock after
// the read with "clock".
//
//	epoll_reader PORT STREAMS TTFT_US GAP_US EVENTS JITTER_PERCENT kernel|clock OUT FIRST_INDEX
//
// OUT: per stream index, number of events, when its request was sent, and pairs (0, stamp), as 64-bit integers: the
// format of the server's own log (internal/scripted/log.go).
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

struct stream {
	int fd, index, seen;
	int token;      // the event under way has text
	int64_t sent;
	int64_t *at;
};

static int64_t now(void) {
	struct timespec t;
	clock_gettime(CLOCK_REALTIME, &t);
	return t.tv_sec * 1000000000LL + t.tv_nsec;
}

static void die(const char *what) {
	perror(what);
	exit(1);
}

int main(int argc, char **argv) {
	if (argc != 10) {
		fprintf(stderr, "usage: epoll_reader PORT STREAMS TTFT_US GAP_US EVENTS JITTER_PERCENT kernel|clock OUT FIRST_INDEX\n");
		return 2;
	}
	int port = atoi(argv[1]), n = atoi(argv[2]), events = atoi(argv[5]), kernel = !strcmp(argv[7], "kernel"), first = atoi(argv[9]);
	struct stream *all = calloc(n, sizeof *all);
	int ep = epoll_create1(0);
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	char body[512], request[1024];
	for (int i = 0; i < n; i++) {
		struct stream *s = &all[i];
		s->index = first + i;
		s->at = malloc(sizeof(int64_t) * events);
		if ((s->fd = socket(AF_INET, SOCK_STREAM, 0)) < 0) die("socket");
		if (connect(s->fd, (struct sockaddr *)&to, sizeof to)) die("connect");
		int one = 1;
		setsockopt(s->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
		if (kernel) setsockopt(s->fd, SOL_SOCKET, SO_TIMESTAMPNS, &one, sizeof one);
		int len = snprintf(body, sizeof body, "{\"model\":\"m\",\"stream\":true,\"messages\":[{\"role\":\"user\",\"content\":\"script %d %s %s %s %s \"}]}",
			s->index, argv[3], argv[4], argv[5], argv[6]);
		len = snprintf(request, sizeof request, "POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", len, body);
		struct epoll_event ev = {.events = EPOLLIN, .data.ptr = s};
		if (epoll_ctl(ep, EPOLL_CTL_ADD, s->fd, &ev)) die("epoll_ctl");
		if (write(s->fd, request, len) != len) die("write");
		s->sent = now();
	}
	static char buf[256 << 10];
	struct epoll_event ready[256];
	int open = n;
	long total = 0, reads = 0;
	while (open > 0) {
		int k = epoll_wait(ep, ready, 256, 30000);
		if (k < 0 && errno == EINTR) continue;
		if (k <= 0) die("epoll_wait");
		for (int j = 0; j < k; j++) {
			struct stream *s = ready[j].data.ptr;
			char control[64];
			struct iovec iov = {buf, sizeof buf};
			struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
			ssize_t got = kernel ? recvmsg(s->fd, &msg, 0) : read(s->fd, buf, sizeof buf);
			if (got < 0 && (errno == EAGAIN || errno == EINTR)) continue;
			if (got < 0) die("read");
			int64_t stamp = 0;
			if (kernel) {
				for (struct cmsghdr *c = CMSG_FIRSTHDR(&msg); c; c = CMSG_NXTHDR(&msg, c))
					if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_TIMESTAMPNS) {
						struct timespec t;
						memcpy(&t, CMSG_DATA(c), sizeof t);
						stamp = t.tv_sec * 1000000000LL + t.tv_nsec;
					}
			}
			if (!stamp) stamp = now();
			reads++;
			if (got == 0) {
				close(s->fd);
				open--;
				continue;
			}
			// one event per write, and writes that come together in one read: count blank lines that end an event with text
			char *p = buf, *end = buf + got;
			while (p < end) {
				char *stop = memmem(p, end - p, "\n\n", 2);
				char *to = stop ? stop : end;
				char *text = memmem(p, to - p, "\"content\":\"", 11);
				if (text && text + 11 < to && text[11] != '"') s->token = 1;
				if (!stop) break;
				if (s->token) {
					if (s->seen < events) s->at[s->seen++] = stamp;
					total++;
				}
				s->token = 0;
				p = stop + 2;
			}
			if (s->seen == events && memmem(buf, got, "[DONE]", 6)) {
				epoll_ctl(ep, EPOLL_CTL_DEL, s->fd, NULL);
				close(s->fd);
				open--;
			}
		}
	}
	FILE *out = fopen(argv[8], "w");
	if (!out) die(argv[8]);
	for (int i = 0; i < n; i++) {
		int64_t head[3] = {all[i].index, all[i].seen, all[i].sent};
		fwrite(head, sizeof head, 1, out);
		for (int e = 0; e < all[i].seen; e++) {
			int64_t pair[2] = {0, all[i].at[e]};
			fwrite(pair, sizeof pair, 1, out);
		}
	}
	if (fclose(out)) die(argv[8]);
	struct rusage u;
	getrusage(RUSAGE_SELF, &u);
	double cpu = u.ru_utime.tv_sec + u.ru_utime.tv_usec / 1e6 + u.ru_stime.tv_sec + u.ru_stime.tv_usec / 1e6;
	long kib = 0; // ru_maxrss counts the parent's before the exec too
	char line[256];
	FILE *status = fopen("/proc/self/status", "r");
	while (status && fgets(line, sizeof line, status)) sscanf(line, "VmHWM: %ld", &kib);
	printf("{\"events\":%ld,\"reads\":%ld,\"cpu_seconds\":%.6f,\"max_rss_kib\":%ld}\n", total, reads, cpu, kib);
	return 0;
}
