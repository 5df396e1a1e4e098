// Loaded into Postgres before everything else (LD_PRELOAD): lets its disk be full, slow or broken while it runs, as the
// first bytes of the file that KEYNEST_FAULTS_DISK names say. Nothing else about Postgres is changed.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

// One byte each, so that reading and writing them needs no lock.
static volatile const unsigned char *page;
enum { FULL, SLOW, BROKEN };

__attribute__((constructor)) static void begin(void) {
    const char *name = getenv("KEYNEST_FAULTS_DISK");
    int file = name ? open(name, O_RDONLY | O_CLOEXEC) : -1;
    void *mapped = file >= 0 ? mmap(NULL, 3, PROT_READ, MAP_SHARED, file, 0) : MAP_FAILED;
    if (mapped != MAP_FAILED) page = mapped;
    if (file >= 0) close(file);
}

static int is(int what) { return page && page[what]; }

// The log of Postgres writes into files that are as long as they will be: a full disk stands in the way of everything else.
static int has_room(int file) {
    char link[32], path[256];
    snprintf(link, sizeof link, "/proc/self/fd/%d", file);
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (length <= 0) return 1;
    path[length] = 0;
    return strstr(path, "/pg_wal/") != NULL;
}

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))
#define UNLESS_FULL(call)                   \
    if (is(FULL) && !has_room(file)) { errno = ENOSPC; return -1; } \
    return call

ssize_t pwrite64(int file, const void *bytes, size_t count, off64_t at) {
    UNLESS_FULL(REAL(pwrite64)(file, bytes, count, at));
}
ssize_t pwrite(int file, const void *bytes, size_t count, off_t at) {
    UNLESS_FULL(REAL(pwrite)(file, bytes, count, at));
}
ssize_t pwritev64(int file, const struct iovec *parts, int count, off64_t at) {
    UNLESS_FULL(REAL(pwritev64)(file, parts, count, at));
}
ssize_t pwritev(int file, const struct iovec *parts, int count, off_t at) {
    UNLESS_FULL(REAL(pwritev)(file, parts, count, at));
}

static int sync_with(int (*real)(int), int file) {
    if (is(SLOW)) {
        struct timespec pause = {page[SLOW] / 10, page[SLOW] % 10 * 100000000L};
        nanosleep(&pause, NULL);
    }
    if (is(BROKEN)) { errno = EIO; return -1; }
    return real(file);
}
int fdatasync(int file) { return sync_with(REAL(fdatasync), file); }
int fsync(int file) { return sync_with(REAL(fsync), file); }
