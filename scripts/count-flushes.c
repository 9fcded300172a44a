/* Counts how often a program asks for its data to be flushed to disk; preloaded by scripts/bench.
   The count is written to the file named by COUNT_FLUSHES when the program ends. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

static atomic_long flushes;

static int call(const char *name, int fd) {
    int (*real)(int) = (int (*)(int))dlsym(RTLD_NEXT, name);
    atomic_fetch_add(&flushes, 1);
    return real(fd);
}

int fsync(int fd) { return call("fsync", fd); }
int fdatasync(int fd) { return call("fdatasync", fd); }

__attribute__((destructor)) static void report(void) {
    const char *path = getenv("COUNT_FLUSHES");
    FILE *file = path ? fopen(path, "w") : NULL;
    if (file) {
        fprintf(file, "%ld\n", atomic_load(&flushes));
        fclose(file);
    }
}
