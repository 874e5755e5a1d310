#pragma once

#include <stddef.h>

// A file of the page of traces, as it is served.
struct kata_file {
  const unsigned char *bytes;
  size_t count;
};

struct kata_file kata_page_html(void);
struct kata_file kata_page_style(void);
struct kata_file kata_page_script(void);
