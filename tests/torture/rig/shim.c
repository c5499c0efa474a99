/*
 * Counts what a process does to the files under one folder, and disturbs it: the libc calls of Rust's std are
 * interposed by LD_PRELOAD. What is counted, and which call went wrong, is in a file that is mapped shared, so it goes on
 * when a face becomes a worker, and can be read after a kill.
 *
 * Environment (rig/shim.rs sets it):
 *   SHIM_FOLDER   only calls on this folder, and what is in it, are counted
 *   SHIM_STATE    the mapped file
 *   SHIM_MODE     once, full, spell, dead, kill, half, read; nothing: only count
 *   SHIM_AT       the call from which on, counted from 1
 *   SHIM_ERROR    the errno of once, dead and read
 *   SHIM_SHADOW   a folder on the same file system; fills it with what would survive a power cut
 *   SHIM_MATCH    read fails each read of a file whose path contains this, instead of read number SHIM_AT
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

/* The layout of the mapped file: rig/shim.rs reads it. */
enum { ENTRIES = 8192, OP = 12, PATH = 176, KILLED = -1 };
struct entry {
    char op[OP];
    int32_t failed; /* errno, or KILLED */
    char path[PATH];
};
struct state {
    _Atomic uint32_t calls;
    _Atomic uint32_t reads;
    _Atomic int64_t clock; /* seconds that the wall clock is ahead */
    char reserved[48];
    struct entry entries[ENTRIES];
};

enum mode { COUNT, ONCE, FULL, SPELL, DEAD, KILL, HALF, READ };
enum { SPELL_CALLS = 12 };

static struct state *state;
static enum mode mode;
static unsigned at;
static int error;
static char folder[PATH_MAX];
static const char *shadow, *match;
static pthread_mutex_t turn = PTHREAD_MUTEX_INITIALIZER;
static pthread_once_t prepared = PTHREAD_ONCE_INIT;

static void prepare(void) {
    const char *file = getenv("SHIM_STATE"), *where = getenv("SHIM_FOLDER"), *how = getenv("SHIM_MODE");
    if (!file || !where) return;
    int handle = (int)syscall(SYS_openat, AT_FDCWD, file, O_RDWR | O_CLOEXEC);
    if (handle < 0) return;
    void *map = mmap(NULL, sizeof *state, PROT_READ | PROT_WRITE, MAP_SHARED, handle, 0);
    syscall(SYS_close, handle);
    if (map == MAP_FAILED) return;
    snprintf(folder, sizeof folder, "%s", where);
    static const char *const names[] = {"", "once", "full", "spell", "dead", "kill", "half", "read"};
    for (int i = 1; how && i <= READ; i++)
        if (!strcmp(how, names[i])) mode = (enum mode)i;
    at = getenv("SHIM_AT") ? (unsigned)atoi(getenv("SHIM_AT")) : 0;
    error = getenv("SHIM_ERROR") ? atoi(getenv("SHIM_ERROR")) : EIO;
    shadow = getenv("SHIM_SHADOW");
    match = getenv("SHIM_MATCH");
    state = map;
}

/* The next function of this name: libc's. */
#define NEXT(name) \
    static __typeof__(&name) next; \
    if (!next) next = (__typeof__(&name))dlsym(RTLD_NEXT, #name)

static int is_inside(const char *path) {
    size_t length = strlen(folder);
    return !strncmp(path, folder, length) && (path[length] == '/' || !path[length]);
}

/* Where a file handle leads. */
static int path_of(int handle, char *path) {
    char link[64];
    snprintf(link, sizeof link, "/proc/self/fd/%d", handle);
    ssize_t length = syscall(SYS_readlinkat, AT_FDCWD, link, path, PATH_MAX - 1);
    if (length < 0) return 0;
    path[length] = 0;
    return 1;
}

/* Where a name in a folder leads. */
static int path_at(int base, const char *name, char *path) {
    if (!name) return 0;
    if (name[0] == '/') return snprintf(path, PATH_MAX, "%s", name) < PATH_MAX;
    if (base == AT_FDCWD) {
        if (syscall(SYS_getcwd, path, (unsigned long)PATH_MAX) < 0) return 0;
    } else if (!path_of(base, path)) {
        return 0;
    }
    size_t length = strlen(path);
    return snprintf(path + length, PATH_MAX - length, "/%s", name) < (int)(PATH_MAX - length);
}

/* What is to become of a call: nothing special, an errno, or half of it. */
enum { GO = 0, PART = -1 };

/* What a call does, which decides whether a full disk refuses it. */
enum kind { TAKES_ROOM, WRITES, OTHER };

static void die(struct entry *entry) {
    if (entry) entry->failed = KILLED;
    syscall(SYS_kill, getpid(), SIGKILL);
    for (;;) pause();
}

/* Counts a call, and kills the process or says what is to become of the call. The caller holds `turn`. */
static int judge(const char *op, enum kind kind, const char *path, struct entry **counted) {
    unsigned number = atomic_fetch_add(&state->calls, 1) + 1;
    struct entry *entry = number <= ENTRIES ? &state->entries[number - 1] : NULL;
    *counted = entry;
    if (entry) {
        snprintf(entry->op, OP, "%s", op);
        const char *tail = strlen(path) > strlen(folder) ? path + strlen(folder) : path;
        snprintf(entry->path, PATH, "%s", tail);
    }
    int verdict = GO;
    switch (mode) {
    case ONCE:
        if (number == at) verdict = error;
        break;
    case DEAD:
        if (number >= at) verdict = error;
        break;
    case FULL:
    case SPELL:
        if (number < at || kind == OTHER || (mode == SPELL && number >= at + SPELL_CALLS)) break;
        /* The last free block takes half of it. */
        verdict = number == at && kind == WRITES ? PART : ENOSPC;
        break;
    case KILL:
        if (number == at) die(entry);
        break;
    case HALF:
        if (number == at) verdict = PART;
        break;
    default:
        break;
    }
    if (entry && verdict > 0) entry->failed = verdict;
    return verdict;
}

/* -- what survives a power cut ---------------------------------------------------------------------------------- */

/* Copies what a file holds, under the number of its inode. */
static void remember_content(int handle) {
    struct stat about;
    char to[PATH_MAX], whole[PATH_MAX], from[64];
    if (!shadow || fstat(handle, &about)) return;
    snprintf(to, sizeof to, "%s/objects/.new", shadow);
    snprintf(whole, sizeof whole, "%s/objects/%lu", shadow, (unsigned long)about.st_ino);
    snprintf(from, sizeof from, "/proc/self/fd/%d", handle);
    int in = (int)syscall(SYS_openat, AT_FDCWD, from, O_RDONLY | O_CLOEXEC);
    int out = (int)syscall(SYS_openat, AT_FDCWD, to, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    char block[1 << 16];
    ssize_t got;
    while (in >= 0 && out >= 0 && (got = syscall(SYS_read, in, block, sizeof block)) > 0)
        if (syscall(SYS_write, out, block, got) != got) abort();
    syscall(SYS_close, in);
    syscall(SYS_close, out);
    if (syscall(SYS_renameat2, AT_FDCWD, to, AT_FDCWD, whole, 0)) abort();
}

/* Lists the entries of a folder, under the number of its inode: kind, inode, name, each line. */
static void remember_entries(int handle) {
    struct stat about;
    char path[PATH_MAX], to[PATH_MAX], whole[PATH_MAX];
    if (!shadow || fstat(handle, &about) || !path_of(handle, path)) return;
    snprintf(to, sizeof to, "%s/folders/.new", shadow);
    snprintf(whole, sizeof whole, "%s/folders/%lu", shadow, (unsigned long)about.st_ino);
    DIR *entries = opendir(path);
    FILE *list = fopen(to, "we");
    if (!entries || !list) abort();
    for (struct dirent *found; (found = readdir(entries));)
        if (strcmp(found->d_name, ".") && strcmp(found->d_name, ".."))
            fprintf(list, "%c %lu %s\n", found->d_type == DT_DIR ? 'd' : 'f', (unsigned long)found->d_ino, found->d_name);
    closedir(entries);
    fclose(list);
    if (syscall(SYS_renameat2, AT_FDCWD, to, AT_FDCWD, whole, 0)) abort();
}

static void remember(int handle) {
    struct stat about;
    if (fstat(handle, &about)) return;
    if (S_ISDIR(about.st_mode)) remember_entries(handle);
    else remember_content(handle);
}

/* Another name for a file keeps the number of its inode from being used again. */
static void keep_inode(int handle) {
    struct stat about;
    char from[64], to[PATH_MAX];
    if (!shadow || handle < 0 || fstat(handle, &about) || !S_ISREG(about.st_mode)) return;
    snprintf(from, sizeof from, "/proc/self/fd/%d", handle);
    snprintf(to, sizeof to, "%s/inodes/%lu", shadow, (unsigned long)about.st_ino);
    syscall(SYS_linkat, AT_FDCWD, from, AT_FDCWD, to, AT_SYMLINK_FOLLOW);
}

/* A new folder holds nothing that is durable, whatever had the number of its inode before. */
static void forget_entries(const char *path) {
    struct stat about;
    char list[PATH_MAX];
    if (!shadow || stat(path, &about)) return;
    snprintf(list, sizeof list, "%s/folders/%lu", shadow, (unsigned long)about.st_ino);
    syscall(SYS_unlinkat, AT_FDCWD, list, 0);
}

/* -- the calls ---------------------------------------------------------------------------------------------------- */

/* Makes a call in its turn, if it is about something in the folder: `found` fills in `path`. */
#define DISTURBED(op, kind, found, type, call, after) \
    do { \
        pthread_once(&prepared, prepare); \
        char path[PATH_MAX]; \
        if (!state || !(found) || !is_inside(path)) return call; \
        pthread_mutex_lock(&turn); \
        struct entry *entry; \
        int verdict = judge(op, kind, path, &entry); \
        type result = -1; \
        int number = verdict > 0 ? verdict : 0; \
        if (!number) { \
            result = call; \
            number = errno; \
            after; \
        } \
        if (verdict == PART && mode == HALF) die(entry); \
        pthread_mutex_unlock(&turn); \
        if (result < 0) errno = number; \
        return result; \
    } while (0)

#define OPENED(base, next_call) \
    int permissions = 0; \
    if (flags & (O_CREAT | O_TMPFILE)) { \
        va_list list; \
        va_start(list, flags); \
        permissions = va_arg(list, int); \
        va_end(list); \
    } \
    int writes = (flags & O_ACCMODE) != O_RDONLY || flags & (O_CREAT | O_TRUNC); \
    DISTURBED("open", flags & O_CREAT ? TAKES_ROOM : OTHER, writes && path_at(base, name, path), int, next_call, \
              if (flags & O_CREAT) keep_inode(result))

int open(const char *name, int flags, ...) {
    NEXT(open);
    OPENED(AT_FDCWD, next(name, flags, permissions));
}
int open64(const char *name, int flags, ...) {
    NEXT(open64);
    OPENED(AT_FDCWD, next(name, flags, permissions));
}
int openat(int base, const char *name, int flags, ...) {
    NEXT(openat);
    OPENED(base, next(base, name, flags, permissions));
}
int openat64(int base, const char *name, int flags, ...) {
    NEXT(openat64);
    OPENED(base, next(base, name, flags, permissions));
}
int creat(const char *name, mode_t permissions) { return open(name, O_CREAT | O_WRONLY | O_TRUNC, permissions); }
int creat64(const char *name, mode_t permissions) { return open64(name, O_CREAT | O_WRONLY | O_TRUNC, permissions); }

/* Half of the bytes, at least one. */
#define LESS(count) (verdict == PART ? ((count) + 1) / 2 : (count))

ssize_t write(int handle, const void *bytes, size_t count) {
    NEXT(write);
    int verdict = GO; /* outside */
    (void)verdict;
    DISTURBED("write", WRITES, path_of(handle, path), ssize_t, next(handle, bytes, LESS(count)), );
}
ssize_t pwrite(int handle, const void *bytes, size_t count, off_t place) {
    NEXT(pwrite);
    int verdict = GO;
    (void)verdict;
    DISTURBED("write", WRITES, path_of(handle, path), ssize_t, next(handle, bytes, LESS(count), place), );
}
ssize_t pwrite64(int handle, const void *bytes, size_t count, off64_t place) {
    NEXT(pwrite64);
    int verdict = GO;
    (void)verdict;
    DISTURBED("write", WRITES, path_of(handle, path), ssize_t, next(handle, bytes, LESS(count), place), );
}
ssize_t writev(int handle, const struct iovec *parts, int count) {
    NEXT(writev);
    int verdict = GO;
    (void)verdict;
    DISTURBED("write", WRITES, path_of(handle, path), ssize_t, next(handle, parts, LESS(count)), );
}
ssize_t copy_file_range(int in, off64_t *from, int out, off64_t *to, size_t count, unsigned flags) {
    NEXT(copy_file_range);
    int verdict = GO;
    (void)verdict;
    DISTURBED("write", WRITES, path_of(out, path), ssize_t, next(in, from, out, to, LESS(count), flags), );
}

int fsync(int handle) {
    NEXT(fsync);
    DISTURBED("fsync", OTHER, path_of(handle, path), int, next(handle), if (!result) remember(handle));
}
int fdatasync(int handle) {
    NEXT(fdatasync);
    DISTURBED("fsync", OTHER, path_of(handle, path), int, next(handle), if (!result) remember(handle));
}

int ftruncate(int handle, off_t length) {
    NEXT(ftruncate);
    DISTURBED("truncate", OTHER, path_of(handle, path), int, next(handle, length), );
}
int ftruncate64(int handle, off64_t length) {
    NEXT(ftruncate64);
    DISTURBED("truncate", OTHER, path_of(handle, path), int, next(handle, length), );
}
int fallocate(int handle, int how, off_t from, off_t length) {
    NEXT(fallocate);
    DISTURBED("allocate", TAKES_ROOM, path_of(handle, path), int, next(handle, how, from, length), );
}
int fallocate64(int handle, int how, off64_t from, off64_t length) {
    NEXT(fallocate64);
    DISTURBED("allocate", TAKES_ROOM, path_of(handle, path), int, next(handle, how, from, length), );
}

int rename(const char *from, const char *to) {
    NEXT(rename);
    DISTURBED("rename", OTHER, path_at(AT_FDCWD, to, path), int, next(from, to), );
}
int renameat(int from_base, const char *from, int to_base, const char *to) {
    NEXT(renameat);
    DISTURBED("rename", OTHER, path_at(to_base, to, path), int, next(from_base, from, to_base, to), );
}
int renameat2(int from_base, const char *from, int to_base, const char *to, unsigned flags) {
    NEXT(renameat2);
    DISTURBED("rename", OTHER, path_at(to_base, to, path), int, next(from_base, from, to_base, to, flags), );
}
int link(const char *from, const char *to) {
    NEXT(link);
    DISTURBED("link", TAKES_ROOM, path_at(AT_FDCWD, to, path), int, next(from, to), );
}
int linkat(int from_base, const char *from, int to_base, const char *to, int flags) {
    NEXT(linkat);
    DISTURBED("link", TAKES_ROOM, path_at(to_base, to, path), int, next(from_base, from, to_base, to, flags), );
}
int symlink(const char *target, const char *to) {
    NEXT(symlink);
    DISTURBED("link", TAKES_ROOM, path_at(AT_FDCWD, to, path), int, next(target, to), );
}
int unlink(const char *name) {
    NEXT(unlink);
    DISTURBED("unlink", OTHER, path_at(AT_FDCWD, name, path), int, next(name), );
}
int unlinkat(int base, const char *name, int flags) {
    NEXT(unlinkat);
    DISTURBED(flags & AT_REMOVEDIR ? "rmdir" : "unlink", OTHER, path_at(base, name, path), int, next(base, name, flags), );
}
int rmdir(const char *name) {
    NEXT(rmdir);
    DISTURBED("rmdir", OTHER, path_at(AT_FDCWD, name, path), int, next(name), );
}
int mkdir(const char *name, mode_t permissions) {
    NEXT(mkdir);
    DISTURBED("mkdir", TAKES_ROOM, path_at(AT_FDCWD, name, path), int, next(name, permissions),
              if (!result) forget_entries(path));
}
int mkdirat(int base, const char *name, mode_t permissions) {
    NEXT(mkdirat);
    DISTURBED("mkdir", TAKES_ROOM, path_at(base, name, path), int, next(base, name, permissions),
              if (!result) forget_entries(path));
}
int chmod(const char *name, mode_t permissions) {
    NEXT(chmod);
    DISTURBED("chmod", OTHER, path_at(AT_FDCWD, name, path), int, next(name, permissions), );
}
int fchmod(int handle, mode_t permissions) {
    NEXT(fchmod);
    DISTURBED("chmod", OTHER, path_of(handle, path), int, next(handle, permissions), );
}

/* -- reads and the clock ------------------------------------------------------------------------------------------ */

/* Whether a read of a file in the folder is to fail. */
static int spoils_read(int handle) {
    pthread_once(&prepared, prepare);
    char path[PATH_MAX];
    if (!state || mode != READ || !path_of(handle, path) || !is_inside(path)) return 0;
    unsigned number = atomic_fetch_add(&state->reads, 1) + 1;
    if (match ? !strstr(path, match) : number != at) return 0;
    if (!state->entries[0].op[0]) {
        state->entries[0].failed = error;
        snprintf(state->entries[0].path, PATH, "%s", path + strlen(folder));
        snprintf(state->entries[0].op, OP, "read");
    }
    errno = error;
    return 1;
}

ssize_t read(int handle, void *bytes, size_t count) {
    NEXT(read);
    return spoils_read(handle) ? -1 : next(handle, bytes, count);
}
ssize_t pread(int handle, void *bytes, size_t count, off_t place) {
    NEXT(pread);
    return spoils_read(handle) ? -1 : next(handle, bytes, count, place);
}
ssize_t pread64(int handle, void *bytes, size_t count, off64_t place) {
    NEXT(pread64);
    return spoils_read(handle) ? -1 : next(handle, bytes, count, place);
}
ssize_t readv(int handle, const struct iovec *parts, int count) {
    NEXT(readv);
    return spoils_read(handle) ? -1 : next(handle, parts, count);
}

static time_t ahead(void) {
    pthread_once(&prepared, prepare);
    return state ? (time_t)atomic_load(&state->clock) : 0;
}

int clock_gettime(clockid_t clock, struct timespec *now) {
    NEXT(clock_gettime);
    int result = next(clock, now);
    if (!result && clock == CLOCK_REALTIME) now->tv_sec += ahead();
    return result;
}
int gettimeofday(struct timeval *restrict now, void *restrict zone) {
    NEXT(gettimeofday);
    int result = next(now, zone);
    if (!result && now) now->tv_sec += ahead();
    return result;
}
time_t time(time_t *now) {
    struct timespec precise;
    clock_gettime(CLOCK_REALTIME, &precise);
    if (now) *now = precise.tv_sec;
    return precise.tv_sec;
}
