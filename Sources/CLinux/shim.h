// What the Glibc module of the toolchain does not declare, because it is imported without _GNU_SOURCE.
#ifndef KATA_CLINUX_H
#define KATA_CLINUX_H
#include <stddef.h>
#include <sys/inotify.h>
#include <sys/signalfd.h>

void *memmem(const void *haystack, size_t haystack_length, const void *needle, size_t needle_length);
void *memrchr(const void *bytes, int byte, size_t length);
int mkostemp(char *path_template, int flags);

#endif
