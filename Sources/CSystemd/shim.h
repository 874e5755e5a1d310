// libsystemd's types. Its functions are looked up when the journal is read: see Systemd.swift.
#ifndef KATA_CSYSTEMD_H
#define KATA_CSYSTEMD_H
#include <systemd/sd-id128.h>
#include <systemd/sd-journal.h>
#endif
