// What the log parser uses of libsystemd's declarations, whose numbers and types are part of its stable ABI: see
// sd-journal(3) and sd-id128(3). The functions are looked up when the journal is first read (Systemd.swift), so neither
// builds nor hosts need the library.
#ifndef KATA_CSYSTEMD_H
#define KATA_CSYSTEMD_H
#include <stdint.h>

enum {
  // Flags of sd_journal_open(3): only journals of this machine.
  SD_JOURNAL_LOCAL_ONLY = 1 << 0,
  // Answers of sd_journal_process(3): nothing changed.
  SD_JOURNAL_NOP = 0
};

typedef union {
  uint8_t bytes[16];
  uint64_t qwords[2];
} sd_id128_t;

#endif
