/* A disk that gets full, for one process (LD_PRELOAD): the k-th write below one folder is cut in half, and from then on every write, new file, new
 * folder, rename and flush below it fails with one error number, until it is mended. Everything else is the C library's.
 *
 * The process under test gives orders by opening names that do not exist:
 *   /.disk/arm/K/ERRNO/FOLDER   room for K-1 more writes below FOLDER
 *   /.disk/mend                 room again; fails with EEXIST when a write was refused meanwhile, with ENOENT when none was
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

#define FILES 65536
static char folder[PATH_MAX];
static atomic_long room = LONG_MAX;
static atomic_int armed, refused, number = ENOSPC;
static atomic_uchar inside[FILES];

#define NEXT(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

static int below(const char *path) {
    size_t n = strlen(folder);
    return atomic_load(&armed) && path && n && strncmp(path, folder, n) == 0 && (path[n] == '/' || path[n] == 0);
}

/* 1: go on; 0: the last one, half of it; -1: refused. */
static int spend(void) {
    long left = atomic_fetch_sub(&room, 1);
    if (left > 1) return 1;
    if (left == 1) return 0;
    atomic_store(&refused, 1);
    errno = atomic_load(&number);
    return -1;
}

static int spend_whole(void) {
    int may = spend();
    if (may == 0) {
        atomic_store(&refused, 1);
        errno = atomic_load(&number);
        return -1;
    }
    return may;
}

static int order(const char *path) {
    if (!path || strncmp(path, "/.disk/", 7) != 0) return 0;
    long k;
    int error, used = 0;
    if (sscanf(path + 7, "arm/%ld/%d%n", &k, &error, &used) == 2 && used) {
        snprintf(folder, sizeof folder, "%s", path + 7 + used);
        atomic_store(&number, error);
        atomic_store(&refused, 0);
        atomic_store(&room, k);
        atomic_store(&armed, 1);
        errno = ENOENT;
    } else {
        atomic_store(&armed, 0);
        errno = atomic_load(&refused) ? EEXIST : ENOENT;
    }
    return 1;
}

static int opened(int fd, const char *path) {
    if (fd >= 0 && fd < FILES) atomic_store(&inside[fd], folder[0] && strncmp(path, folder, strlen(folder)) == 0);
    return fd;
}

static int may_create(const char *path, int flags) {
    struct stat found;
    return !(flags & O_CREAT) || !below(path) || stat(path, &found) == 0 || spend_whole() == 1;
}

#define OPEN(name)                                                                                                     \
    int name(const char *path, int flags, ...) {                                                                       \
        mode_t mode = 0;                                                                                               \
        if (flags & (O_CREAT | O_TMPFILE)) { va_list a; va_start(a, flags); mode = va_arg(a, mode_t); va_end(a); }     \
        if (order(path)) return -1;                                                                                    \
        if (!may_create(path, flags)) return -1;                                                                       \
        return opened(NEXT(name)(path, flags, mode), path);                                                            \
    }
OPEN(open)
OPEN(open64)

#define OPENAT(name)                                                                                                   \
    int name(int at, const char *path, int flags, ...) {                                                               \
        mode_t mode = 0;                                                                                               \
        if (flags & (O_CREAT | O_TMPFILE)) { va_list a; va_start(a, flags); mode = va_arg(a, mode_t); va_end(a); }     \
        if (order(path)) return -1;                                                                                    \
        if (!may_create(path, flags)) return -1;                                                                       \
        return opened(NEXT(name)(at, path, flags, mode), path);                                                        \
    }
OPENAT(openat)
OPENAT(openat64)

int close(int fd) {
    if (fd >= 0 && fd < FILES) atomic_store(&inside[fd], 0);
    return NEXT(close)(fd);
}

static int counts(int fd) { return atomic_load(&armed) && fd >= 0 && fd < FILES && atomic_load(&inside[fd]); }

#define LIMITED(call_whole, call_half, size)                                                                           \
    if (counts(fd)) {                                                                                                  \
        int may = spend();                                                                                             \
        if (may < 0) return -1;                                                                                        \
        if (may == 0) {                                                                                                \
            if ((size) < 2) { atomic_store(&refused, 1); errno = atomic_load(&number); return -1; }                    \
            return call_half;                                                                                          \
        }                                                                                                              \
    }                                                                                                                  \
    return call_whole;

ssize_t write(int fd, const void *bytes, size_t size) {
    LIMITED(NEXT(write)(fd, bytes, size), NEXT(write)(fd, bytes, size / 2), size)
}
ssize_t pwrite(int fd, const void *bytes, size_t size, off_t at) {
    LIMITED(NEXT(pwrite)(fd, bytes, size, at), NEXT(pwrite)(fd, bytes, size / 2, at), size)
}
ssize_t pwrite64(int fd, const void *bytes, size_t size, off64_t at) {
    LIMITED(NEXT(pwrite64)(fd, bytes, size, at), NEXT(pwrite64)(fd, bytes, size / 2, at), size)
}
ssize_t writev(int fd, const struct iovec *parts, int count) {
    if (counts(fd) && spend_whole() < 0) return -1;
    return NEXT(writev)(fd, parts, count);
}
int fsync(int fd) {
    if (counts(fd) && spend_whole() < 0) return -1;
    return NEXT(fsync)(fd);
}
int fdatasync(int fd) {
    if (counts(fd) && spend_whole() < 0) return -1;
    return NEXT(fdatasync)(fd);
}
int rename(const char *from, const char *to) {
    if (below(to) && spend_whole() < 0) return -1;
    return NEXT(rename)(from, to);
}
int mkdir(const char *path, mode_t mode) {
    if (below(path) && spend_whole() < 0) return -1;
    return NEXT(mkdir)(path, mode);
}
