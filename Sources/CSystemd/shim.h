// libsystemd: reading the journal in place.
#ifndef KATA_CSYSTEMD_H
#define KATA_CSYSTEMD_H
#include <systemd/sd-id128.h>
#include <systemd/sd-journal.h>
#endif
