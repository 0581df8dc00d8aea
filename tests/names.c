/* A resolver for tests, to be preloaded: it knows the names that end in ".test", and is slow about some.
 *
 * Nobody may ask it in the main thread, where the hub is: that aborts the process, whoever it is.
 */

#define _GNU_SOURCE
#include <dlfcn.h>
#include <netdb.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

typedef int resolver(const char *, const char *, const struct addrinfo *, struct addrinfo **);

int
getaddrinfo(const char *name, const char *service, const struct addrinfo *hints, struct addrinfo **found)
{
	resolver   *real = (resolver *) dlsym(RTLD_NEXT, "getaddrinfo");
	size_t		length = name ? strlen(name) : 0;
	struct addrinfo *last;
	int			failure;

	if (length < 5 || strcmp(name + length - 5, ".test") != 0)
		return real(name, service, hints, found);
	if (syscall(SYS_gettid) == getpid())
		abort();
	if (strncmp(name, "slow.", 5) == 0)
		usleep(300 * 1000);
	if (strncmp(name, "never.", 6) == 0)
		sleep(20);
	if (strncmp(name, "none.", 5) == 0)
		return EAI_NONAME;
	if (strncmp(name, "two.", 4) != 0 && strncmp(name, "dead.", 5) != 0)
		return real("127.0.0.1", service, hints, found);
	failure = real("127.0.0.2", service, hints, found);
	if (failure)
		return failure;
	for (last = *found; last->ai_next; last = last->ai_next)
		;
	return real(name[0] == 't' ? "127.0.0.1" : "127.0.0.3", service, hints, &last->ai_next);
}
